data "aws_caller_identity" "current" {}

data "aws_availability_zones" "available" {
  state = "available"

  # Local and wavelength zones have no MSK.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  account = data.aws_caller_identity.current.account_id
  zones   = slice(sort(data.aws_availability_zones.available.names), 0, var.availability_zone_count)

  bucket_name = coalesce(var.bucket_name, "${var.global_prefix}-${local.account}-${var.region}")
  # Names of Glue take no dash in SQL without quotes.
  database_name = replace(var.global_prefix, "-", "_")

  is_provisioned = var.kafka_mode == "provisioned"
  # A serverless cluster always keeps three.
  kafka_replication = local.is_provisioned ? var.availability_zone_count : 3

  ports = {
    https     = 443
    kafka_iam = 9098
    page      = 8050
    postgres  = 5432
    ssh       = 22
    ui        = 3000
  }

  # Where the platform's jobs run, and where their code and their logs are.
  emr_settings = var.enable_emr_serverless ? {
    USAGE_EMR_APPLICATION_ID = aws_emrserverless_application.this[0].id
    USAGE_EMR_ROLE_ARN       = aws_iam_role.emr_job[0].arn
    USAGE_EMR_CODE           = "s3://${aws_s3_bucket.lake.id}/assets/emr"
    USAGE_EMR_LOG_GROUP      = aws_cloudwatch_log_group.emr[0].name
  } : {}

  # Of the platform, those that hold a secret; Kafka asks for none here.
  secret_setting_names = [
    "USAGE_ALERT_ADDRESSES", "USAGE_ALERT_MQTT_URL", "USAGE_ALERT_SLACK_URL", "USAGE_ALERT_SMTP_URL",
    "USAGE_ALERT_WEBHOOK_SECRET", "USAGE_ALERT_WEBHOOK_URL", "USAGE_COLLECT_MQTT_URL", "USAGE_KAFKA_PASSWORD",
  ]

  # Those that are set here, by the image, or have no meaning where each part is a container.
  own_setting_names = [
    "USAGE_LAKE", "USAGE_KAFKA_BOOTSTRAP", "USAGE_KAFKA_SECURITY", "USAGE_KAFKA_REPLICATION", "USAGE_KAFKA_PARTITIONS",
    "USAGE_SPARK_REMOTE", "USAGE_ATHENA_WORKGROUP", "USAGE_ATHENA_DATABASE", "USAGE_DATA", "USAGE_JARS",
    "USAGE_EMR_APPLICATION_ID", "USAGE_EMR_ROLE_ARN", "USAGE_EMR_CODE", "USAGE_EMR_LOG_GROUP",
    "USAGE_KAFKA_PORT", "USAGE_KAFKA_USER", "USAGE_PAGE_PORT", "USAGE_SPARK_PORT", "USAGE_SPARK_WORKERS", "USAGE_UI_PORT",
  ]

  # All others that the platform knows. A test compares them.
  free_setting_names = jsondecode(file("${path.module}/setting_names.json"))

  # What the platform is told, in the task and wherever else it runs.
  settings = merge(var.settings, local.emr_settings, {
    USAGE_LAKE              = "s3://${aws_s3_bucket.lake.id}"
    USAGE_KAFKA_BOOTSTRAP   = local.kafka_bootstrap
    USAGE_KAFKA_SECURITY    = "iam"
    USAGE_KAFKA_REPLICATION = tostring(local.kafka_replication)
    USAGE_KAFKA_PARTITIONS  = tostring(var.kafka_partitions)
    USAGE_SPARK_REMOTE      = "sc://127.0.0.1:${local.spark_port}"
    USAGE_ATHENA_WORKGROUP  = aws_athena_workgroup.this.name
    USAGE_ATHENA_DATABASE   = aws_glue_catalog_database.this.name
  })
}
