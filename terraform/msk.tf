locals {
  # Internal topics get Kafka's own default of three replicas unless they are told, which two brokers
  # cannot give. One replica may be missing without writes being refused.
  kafka_properties = {
    "auto.create.topics.enable"                = "false"
    "default.replication.factor"               = local.kafka_replication
    "min.insync.replicas"                      = local.kafka_replication - 1
    "offsets.topic.replication.factor"         = local.kafka_replication
    "transaction.state.log.replication.factor" = local.kafka_replication
    "transaction.state.log.min.isr"            = local.kafka_replication - 1
    # A lake that was lost is rebuilt from the topics, and playback goes on after what is on them.
    "log.retention.ms" = -1
    # A platform switched off for a holiday must find its offsets again.
    "offsets.retention.minutes"      = 365 * 24 * 60
    "transactional.id.expiration.ms" = 2147483647
    "unclean.leader.election.enable" = "false"
  }

  kafka_arn       = local.is_provisioned ? aws_msk_cluster.this[0].arn : aws_msk_serverless_cluster.this[0].arn
  kafka_bootstrap = local.is_provisioned ? aws_msk_cluster.this[0].bootstrap_brokers_sasl_iam : aws_msk_serverless_cluster.this[0].bootstrap_brokers_sasl_iam
}

resource "aws_msk_configuration" "this" {
  count = local.is_provisioned ? 1 : 0

  name        = var.global_prefix
  description = "Topics are made by the platform, kept for ever and replicated to every zone"
  # No kafka_versions: a change of them would replace it.
  server_properties = join("\n", [for key, value in local.kafka_properties : "${key}=${value}"])

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_msk_cluster" "this" {
  count = local.is_provisioned ? 1 : 0

  cluster_name           = var.global_prefix
  kafka_version          = var.kafka_version
  number_of_broker_nodes = var.availability_zone_count * var.kafka_brokers_per_zone

  broker_node_group_info {
    instance_type   = var.kafka_instance_type
    client_subnets  = aws_subnet.private[*].id
    security_groups = [aws_security_group.this["kafka"].id]

    storage_info {
      ebs_storage_info {
        volume_size = var.kafka_volume_size
      }
    }

    connectivity_info {
      public_access {
        type = "DISABLED"
      }
    }
  }

  configuration_info {
    arn      = aws_msk_configuration.this[0].arn
    revision = aws_msk_configuration.this[0].latest_revision
  }

  client_authentication {
    unauthenticated = false

    sasl {
      iam   = true
      scram = false
    }
  }

  encryption_info {
    encryption_at_rest_kms_key_arn = aws_kms_key.this.arn

    encryption_in_transit {
      client_broker = "TLS"
      in_cluster    = true
    }
  }

  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.this["kafka"].name
      }
    }
  }
}

resource "aws_msk_serverless_cluster" "this" {
  count = local.is_provisioned ? 0 : 1

  cluster_name = var.global_prefix

  vpc_config {
    subnet_ids         = aws_subnet.private[*].id
    security_group_ids = [aws_security_group.this["kafka"].id]
  }

  client_authentication {
    sasl {
      iam {
        enabled = true
      }
    }
  }
}
