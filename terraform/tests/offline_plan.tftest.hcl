# The real provider, in plan mode: what it refuses before it asks AWS. It reaches nothing.

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_data {
  target = data.aws_availability_zones.available
  values = { names = ["us-east-1a", "us-east-1b", "us-east-1c"] }
}

override_data {
  target = data.aws_ssm_parameter.bastion_image
  values = { value = "ami-0123456789abcdef0" }
}

run "everything_with_provisioned_kafka" {
  command = plan

  variables {
    enable_bastion        = true
    bastion_allowed_cidrs = ["203.0.113.7/32"]
    bastion_public_key    = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPT1hsgdiVtSZJjKJG0ufwbHgg3shT0tPsvLJ4PVTY8T somebody"
    alarm_email           = "energy@example.org"
    monthly_budget_usd    = 300
  }

  assert {
    condition     = try(length(one([for rule in aws_s3_bucket_lifecycle_configuration.lake.rule : rule.filter[0].prefix if rule.id == "old-versions"])), 0) == 0
    error_message = "expected old versions of everything to go"
  }
}

run "the_least_with_serverless_kafka" {
  command = plan

  variables {
    kafka_mode              = "serverless"
    availability_zone_count = 2
    enable_emr_serverless   = false
  }
}
