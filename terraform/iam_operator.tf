# For people who operate the platform: its pages, a shell, logs, alarms, restarts, jobs on EMR, and the
# tables in Athena. A shell, and Dagster's pages, start runs with the rights of the platform's role; so
# nobody gets this role unless named. It changes nothing that Terraform makes but the number of tasks.

data "aws_iam_policy_document" "operator_trust" {
  count = length(var.operator_principals) > 0 ? 1 : 0

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = var.operator_principals
    }
  }
}

data "aws_iam_policy_document" "operator" {
  count = length(var.operator_principals) > 0 ? 1 : 0

  # IAM judges it by the instances that tasks could be on, also where there are none.
  statement {
    sid       = "FindTheTask"
    actions   = ["ecs:ListTasks"]
    resources = ["arn:aws:ecs:${var.region}:${local.account}:container-instance/${aws_ecs_cluster.this.name}/*"]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [aws_ecs_cluster.this.arn]
    }
  }

  statement {
    sid       = "LookAtTheTask"
    actions   = ["ecs:DescribeTasks"]
    resources = [local.task_arns]
  }

  statement {
    sid       = "OpenAShell"
    actions   = ["ecs:ExecuteCommand"]
    resources = [aws_ecs_cluster.this.arn, local.task_arns]
  }

  # What passes between a shell and who opened it.
  statement {
    sid       = "KeyOfTheChannel"
    actions   = ["kms:GenerateDataKey"]
    resources = [aws_kms_key.this.arn]
  }

  # Dagster's pages and the analyst's, each by a port of the task.
  statement {
    sid     = "OpenThePages"
    actions = ["ssm:StartSession"]
    resources = [
      local.task_arns,
      "arn:aws:ssm:${var.region}::document/AWS-StartPortForwardingSession",
    ]
  }

  statement {
    sid       = "EndOwnSessions"
    actions   = ["ssm:ResumeSession", "ssm:TerminateSession"]
    resources = ["arn:aws:ssm:${var.region}:${local.account}:session/$${aws:userid}-*"]
  }

  statement {
    sid       = "RestartAndPause"
    actions   = ["ecs:DescribeServices", "ecs:UpdateService"]
    resources = ["arn:aws:ecs:${var.region}:${local.account}:service/${aws_ecs_cluster.this.name}/platform"]
  }

  # Not what was typed into shells: that is for whoever audits them.
  statement {
    sid = "ReadLogs"
    actions = [
      "logs:DescribeLogStreams",
      "logs:FilterLogEvents",
      "logs:GetLogEvents",
    ]
    resources = [
      for group in concat(
        [for name, group in aws_cloudwatch_log_group.this : group.arn if name != "shells"],
        aws_cloudwatch_log_group.emr[*].arn,
        [aws_cloudwatch_log_group.database.arn],
      ) : "${group}:*"
    ]
  }

  # It knows no resource.
  statement {
    sid       = "FindLogs"
    actions   = ["logs:DescribeLogGroups"]
    resources = ["*"]
  }

  statement {
    sid       = "ReadAlarms"
    actions   = ["cloudwatch:DescribeAlarms"]
    resources = ["arn:aws:cloudwatch:${var.region}:${local.account}:alarm:${var.global_prefix}-*"]
  }

  dynamic "statement" {
    for_each = aws_emrserverless_application.this[*].arn

    content {
      sid       = "FindJobs"
      actions   = ["emr-serverless:GetApplication", "emr-serverless:ListJobRuns"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = aws_emrserverless_application.this[*].arn

    content {
      sid       = "CancelJobs"
      actions   = ["emr-serverless:CancelJobRun", "emr-serverless:GetJobRun"]
      resources = ["${statement.value}/jobruns/*"]
    }
  }
}

locals {
  task_arns = "arn:aws:ecs:${var.region}:${local.account}:task/${aws_ecs_cluster.this.name}/*"
}

resource "aws_iam_role" "operator" {
  count = length(var.operator_principals) > 0 ? 1 : 0

  name                 = "${var.global_prefix}-operator"
  description          = "People who operate the platform"
  assume_role_policy   = data.aws_iam_policy_document.operator_trust[0].json
  max_session_duration = 4 * 3600
}

resource "aws_iam_role_policy" "operator" {
  count = length(var.operator_principals) > 0 ? 1 : 0

  name   = "operate"
  role   = aws_iam_role.operator[0].id
  policy = data.aws_iam_policy_document.operator[0].json
}

resource "aws_iam_role_policy_attachment" "operator_reads_tables" {
  count = length(var.operator_principals) > 0 ? 1 : 0

  role       = aws_iam_role.operator[0].name
  policy_arn = aws_iam_policy.analyst.arn
}
