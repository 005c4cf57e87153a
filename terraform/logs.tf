resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["flow", "kafka", "platform", "shells"])

  name              = "/${var.global_prefix}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
}

resource "aws_cloudwatch_log_group" "emr" {
  count = var.enable_emr_serverless ? 1 : 0

  name              = "/${var.global_prefix}/emr"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
}

# RDS would make it itself, to be kept for ever and left behind.
resource "aws_cloudwatch_log_group" "database" {
  name              = "/aws/rds/instance/${local.database_identifier}/postgresql"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
}

data "aws_iam_policy_document" "flow_log_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

data "aws_iam_policy_document" "flow_log" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this["flow"].arn}:*"]
  }

  statement {
    actions   = ["logs:DescribeLogGroups"]
    resources = ["*"]
  }
}

resource "aws_iam_role" "flow_log" {
  name               = "${var.global_prefix}-flow-log"
  description        = "Lets the VPC write its flow log"
  assume_role_policy = data.aws_iam_policy_document.flow_log_trust.json
}

resource "aws_iam_role_policy" "flow_log" {
  name   = "write-the-log"
  role   = aws_iam_role.flow_log.id
  policy = data.aws_iam_policy_document.flow_log.json
}
