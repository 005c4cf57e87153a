# Dagster's runs, events, schedules and sensors' cursors. Not the data: those are in the lake.

locals {
  database_identifier = "${var.global_prefix}-dagster"
}

resource "aws_db_subnet_group" "this" {
  name       = var.global_prefix
  subnet_ids = aws_subnet.private[*].id
}

resource "aws_db_parameter_group" "this" {
  name        = "${var.global_prefix}-postgres17"
  family      = "postgres17"
  description = "TLS only"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }
}

resource "aws_db_instance" "dagster" {
  identifier     = local.database_identifier
  engine         = "postgres"
  engine_version = "17"
  instance_class = var.database_instance_class

  db_name                       = "dagster"
  username                      = "dagster"
  manage_master_user_password   = true
  master_user_secret_kms_key_id = aws_kms_key.this.key_id

  storage_type          = "gp3"
  allocated_storage     = 20
  max_allocated_storage = 100
  storage_encrypted     = true
  kms_key_id            = aws_kms_key.this.arn

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.this["database"].id]
  parameter_group_name   = aws_db_parameter_group.this.name
  publicly_accessible    = false
  multi_az               = var.database_multi_az

  backup_retention_period    = 7
  copy_tags_to_snapshot      = true
  auto_minor_version_upgrade = true
  deletion_protection        = var.protect_data
  skip_final_snapshot        = !var.protect_data
  final_snapshot_identifier  = var.protect_data ? "${local.database_identifier}-final" : null

  enabled_cloudwatch_logs_exports = ["postgresql"]

  # MSK knows no protection from being destroyed. What is destroyed first holds up what it depends on:
  # while this instance is protected the events stay.
  depends_on = [
    aws_cloudwatch_log_group.database,
    aws_msk_cluster.this,
    aws_msk_serverless_cluster.this,
  ]
}

# AWS changes a managed password each week unless told otherwise. The task reads it when it starts:
# with another one its health check fails, and it is started again, which costs some minutes.
resource "aws_secretsmanager_secret_rotation" "dagster" {
  secret_id          = aws_db_instance.dagster.master_user_secret[0].secret_arn
  rotate_immediately = false

  rotation_rules {
    automatically_after_days = 90
  }
}
