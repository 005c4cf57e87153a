resource "aws_sns_topic" "alarms" {
  name              = "${var.global_prefix}-alarms"
  kms_master_key_id = aws_kms_key.this.arn
}

data "aws_iam_policy_document" "alarms" {
  statement {
    sid       = "AlarmsOfThisAccount"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  arn    = aws_sns_topic.alarms.arn
  policy = data.aws_iam_policy_document.alarms.json
}

resource "aws_sns_topic_subscription" "email" {
  count = var.alarm_email == null ? 0 : 1

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

# Dagster's line of a run that fails. Of one whose process is killed there is none: sensors begin again.
resource "aws_cloudwatch_log_metric_filter" "failed_runs" {
  name           = "${var.global_prefix}-failed-runs"
  log_group_name = aws_cloudwatch_log_group.this["platform"].name
  pattern        = "RUN_FAILURE"

  metric_transformation {
    namespace = var.global_prefix
    name      = "FailedRuns"
    value     = "1"
  }
}

locals {
  brokers = local.is_provisioned ? range(1, var.availability_zone_count * var.kafka_brokers_per_zone + 1) : []

  alarms = merge(
    {
      for id in local.brokers : "broker-${id}-disk" => {
        description = "The disk of broker ${id} is three quarters full: raise kafka_volume_size"
        namespace   = "AWS/Kafka"
        metric      = "KafkaDataLogsDiskUsed"
        dimensions  = { "Cluster Name" = var.global_prefix, "Broker ID" = tostring(id) }
        statistic   = "Maximum"
        comparison  = "GreaterThanThreshold"
        threshold   = 75
        missing     = "missing"
        period      = 300
        periods     = 3
      }
    },
    local.is_provisioned ? {
      "offline-partitions" = {
        description = "Partitions of Kafka have no leader: nobody can write to or read from them; look at the brokers"
        namespace   = "AWS/Kafka"
        metric      = "OfflinePartitionsCount"
        dimensions  = { "Cluster Name" = var.global_prefix }
        statistic   = "Maximum"
        comparison  = "GreaterThanThreshold"
        threshold   = 0
        missing     = "missing"
        period      = 300
        periods     = 1
      }
      "controller" = {
        description = "Kafka has no active controller: topics cannot be made and leaders not chosen"
        namespace   = "AWS/Kafka"
        metric      = "ActiveControllerCount"
        dimensions  = { "Cluster Name" = var.global_prefix }
        statistic   = "Maximum"
        comparison  = "LessThanThreshold"
        threshold   = 1
        missing     = "missing"
        period      = 300
        periods     = 3
      }
    } : {},
    {
      "scorer-lag" = {
        description = "The scorer is 10,000 events behind: look at the sensor anomaly_stream"
        namespace   = "AWS/Kafka"
        metric      = "MaxOffsetLag"
        dimensions  = { "Cluster Name" = var.global_prefix, "Consumer Group" = "anomaly-scorer", "Topic" = "usage" }
        statistic   = "Maximum"
        comparison  = "GreaterThanThreshold"
        threshold   = 10000
        missing     = "notBreaching"
        period      = 300
        periods     = 3
      }
      "failed-runs" = {
        description = "A run of Dagster has failed: look at the runs on Dagster's pages, and at the log platform"
        namespace   = var.global_prefix
        metric      = aws_cloudwatch_log_metric_filter.failed_runs.metric_transformation[0].name
        dimensions  = {}
        statistic   = "Sum"
        comparison  = "GreaterThanThreshold"
        threshold   = 0
        missing     = "notBreaching"
        period      = 3600
        periods     = 1
      }
      "database-disk" = {
        description = "Less than 2 GiB of the database's disk are free: it grows by itself to 100 GiB, look at what fills it"
        namespace   = "AWS/RDS"
        metric      = "FreeStorageSpace"
        dimensions  = { DBInstanceIdentifier = aws_db_instance.dagster.identifier }
        statistic   = "Minimum"
        comparison  = "LessThanThreshold"
        threshold   = 2 * pow(1024, 3)
        missing     = "missing"
        period      = 300
        periods     = 3
      }
      "task" = {
        description = "The platform's task does not run: look at the service's events and the log"
        namespace   = "ECS/ContainerInsights"
        metric      = "RunningTaskCount"
        dimensions  = { ClusterName = aws_ecs_cluster.this.name, ServiceName = aws_ecs_service.platform.name }
        statistic   = "Minimum"
        comparison  = "LessThanThreshold"
        threshold   = 1
        missing     = "breaching"
        period      = 300
        periods     = 3
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.global_prefix}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing
  period              = each.value.period
  evaluation_periods  = each.value.periods
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_budgets_budget" "month" {
  count = var.monthly_budget_usd == null ? 0 : 1

  name         = "${var.global_prefix}-month"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"

  notification {
    notification_type          = "ACTUAL"
    comparison_operator        = "GREATER_THAN"
    threshold                  = 80
    threshold_type             = "PERCENTAGE"
    subscriber_email_addresses = [var.alarm_email]
  }

  notification {
    notification_type          = "FORECASTED"
    comparison_operator        = "GREATER_THAN"
    threshold                  = 100
    threshold_type             = "PERCENTAGE"
    subscriber_email_addresses = [var.alarm_email]
  }
}
