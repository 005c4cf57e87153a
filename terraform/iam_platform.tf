# The task: the code's role, and the role that ECS starts it with.

data "aws_iam_policy_document" "task_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:aws:ecs:${var.region}:${local.account}:*"]
    }
  }
}

data "aws_iam_policy_document" "platform_lake" {
  statement {
    sid       = "Bucket"
    actions   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
    resources = [aws_s3_bucket.lake.arn]
  }

  statement {
    sid = "Objects"
    actions = [
      "s3:AbortMultipartUpload",
      "s3:DeleteObject",
      "s3:GetObject",
      "s3:ListMultipartUploadParts",
      "s3:PutObject",
    ]
    # What the platform keeps there, each as the lake's root names it.
    resources = [
      for name in [
        "assets/*", "athena-results/*", "checkpoint/*", "dagster-logs/*", "deltalake/*", "lake.json", "leases/*",
        "meters/*", "models/*",
      ] : "${aws_s3_bucket.lake.arn}/${name}"
    ]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.this.arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "athena" {
  statement {
    sid = "Queries"
    actions = [
      "athena:GetQueryExecution",
      "athena:GetQueryResults",
      "athena:GetQueryResultsStream",
      "athena:GetWorkGroup",
      "athena:StartQueryExecution",
      "athena:StopQueryExecution",
    ]
    resources = [aws_athena_workgroup.this.arn]
  }

  statement {
    sid = "Catalog"
    actions = [
      "glue:GetDatabase",
      "glue:GetPartitions",
      "glue:GetTable",
      "glue:GetTables",
    ]
    resources = [
      "arn:aws:glue:${var.region}:${local.account}:catalog",
      aws_glue_catalog_database.this.arn,
      "arn:aws:glue:${var.region}:${local.account}:table/${local.database_name}/*",
    ]
  }
}

data "aws_iam_policy_document" "platform_emr" {
  count = var.enable_emr_serverless ? 1 : 0

  statement {
    sid = "StartAndFindJobs"
    actions = [
      "emr-serverless:GetApplication",
      "emr-serverless:ListJobRuns",
      "emr-serverless:StartApplication",
      "emr-serverless:StartJobRun",
    ]
    resources = [aws_emrserverless_application.this[0].arn]
  }

  statement {
    sid = "FollowJobs"
    actions = [
      "emr-serverless:CancelJobRun",
      "emr-serverless:GetDashboardForJobRun",
      "emr-serverless:GetJobRun",
      "emr-serverless:TagResource",
    ]
    resources = ["${aws_emrserverless_application.this[0].arn}/jobruns/*"]
  }

  statement {
    sid       = "ReadJobsLogs"
    actions   = ["logs:DescribeLogStreams", "logs:GetLogEvents"]
    resources = ["${aws_cloudwatch_log_group.emr[0].arn}:*"]
  }

  statement {
    sid       = "GiveJobsTheirRole"
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.emr_job[0].arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["emr-serverless.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "platform_alerts" {
  count = local.alert_topic == null ? 0 : 1

  statement {
    sid       = "AlertsToTheTopic"
    actions   = ["sns:Publish"]
    resources = [local.alert_topic]
  }
}

# Shells and the forwarded port of Dagster's pages, by Session Manager.
data "aws_iam_policy_document" "platform_shells" {
  statement {
    sid = "Channels"
    actions = [
      "ssmmessages:CreateControlChannel",
      "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel",
      "ssmmessages:OpenDataChannel",
    ]
    resources = ["*"]
  }

  # What passes between a shell and who opened it.
  statement {
    sid       = "KeyOfTheChannel"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.this.arn]
  }

  statement {
    sid       = "FindTheLog"
    actions   = ["logs:DescribeLogGroups"]
    resources = ["*"]
  }

  statement {
    sid       = "WriteTheLog"
    actions   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this["shells"].arn}:*"]
  }
}

locals {
  alert_topic = lookup(var.settings, "USAGE_ALERT_SNS_TOPIC", null)
}

resource "aws_iam_role" "platform" {
  name               = "${var.global_prefix}-platform"
  description        = "What the platform's code may do"
  assume_role_policy = data.aws_iam_policy_document.task_trust.json
}

resource "aws_iam_role_policy" "platform" {
  for_each = merge(
    {
      athena = data.aws_iam_policy_document.athena.json
      kafka  = data.aws_iam_policy_document.platform_kafka.json
      lake   = data.aws_iam_policy_document.platform_lake.json
      shells = data.aws_iam_policy_document.platform_shells.json
    },
    var.enable_emr_serverless ? { emr = data.aws_iam_policy_document.platform_emr[0].json } : {},
    local.alert_topic == null ? {} : { alerts = data.aws_iam_policy_document.platform_alerts[0].json },
  )

  name   = each.key
  role   = aws_iam_role.platform.id
  policy = each.value
}

data "aws_iam_policy_document" "execution" {
  statement {
    sid       = "LogInToTheRegistry"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid       = "PullTheImage"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [aws_ecr_repository.this.arn]
  }

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this["platform"].arn}:*"]
  }

  statement {
    sid       = "PasswordOfTheDatabase"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_db_instance.dagster.master_user_secret[0].secret_arn]
  }

  dynamic "statement" {
    for_each = length(var.secret_settings) > 0 ? [1] : []

    content {
      sid     = "SecretSettings"
      actions = ["secretsmanager:GetSecretValue"]
      # The ARN of a secret, without the key within it.
      resources = distinct([for arn in values(var.secret_settings) : join(":", slice(split(":", arn), 0, 7))])
    }
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.this.arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${var.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "execution" {
  name               = "${var.global_prefix}-execution"
  description        = "Starts the platform's containers"
  assume_role_policy = data.aws_iam_policy_document.task_trust.json
}

resource "aws_iam_role_policy" "execution" {
  name   = "start-containers"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.execution.json
}
