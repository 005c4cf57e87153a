provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Project   = var.global_prefix
      ManagedBy = "terraform"
    }
  }
}
