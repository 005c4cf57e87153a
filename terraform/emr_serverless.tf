# Training and backfills at scale. A job writes under the lease on the lake that the platform lends
# it, so that the two never write at once.

resource "aws_emrserverless_application" "this" {
  count = var.enable_emr_serverless ? 1 : 0

  name          = var.global_prefix
  type          = "SPARK"
  release_label = var.emr_release_label
  architecture  = var.cpu_architecture

  maximum_capacity {
    cpu    = "${var.emr_maximum_vcpu} vCPU"
    memory = "${var.emr_maximum_vcpu * 8} GB"
    disk   = "${var.emr_maximum_vcpu * 20} GB"
  }

  auto_start_configuration {
    enabled = true
  }

  auto_stop_configuration {
    enabled              = true
    idle_timeout_minutes = 5
  }

  network_configuration {
    subnet_ids         = aws_subnet.private[*].id
    security_group_ids = [aws_security_group.this["emr"].id]
  }
}

data "aws_iam_policy_document" "emr_trust" {
  count = var.enable_emr_serverless ? 1 : 0

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["emr-serverless.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }

    # Another application of the account gets nothing by it.
    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = [aws_emrserverless_application.this[0].arn, "${aws_emrserverless_application.this[0].arn}/jobruns/*"]
    }
  }
}

data "aws_iam_policy_document" "emr_job" {
  count = var.enable_emr_serverless ? 1 : 0

  statement {
    sid       = "Bucket"
    actions   = ["s3:GetBucketLocation", "s3:ListBucket"]
    resources = [aws_s3_bucket.lake.arn]
  }

  # Its code is under assets/.
  statement {
    sid       = "ReadAssets"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.lake.arn}/assets/*"]
  }

  # A checkpoint of its own: another version of Spark need not understand ours.
  statement {
    sid = "TablesAndModels"
    actions = [
      "s3:AbortMultipartUpload",
      "s3:DeleteObject",
      "s3:GetObject",
      "s3:ListMultipartUploadParts",
      "s3:PutObject",
    ]
    resources = [
      for folder in ["checkpoint/emr", "deltalake", "leases", "meters", "models"] : "${aws_s3_bucket.lake.arn}/${folder}/*"
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

  statement {
    sid       = "FindTheLog"
    actions   = ["logs:DescribeLogGroups"]
    resources = ["*"]
  }

  statement {
    sid       = "WriteTheLog"
    actions   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.emr[0].arn}:*"]
  }
}

resource "aws_iam_role" "emr_job" {
  count = var.enable_emr_serverless ? 1 : 0

  name               = "${var.global_prefix}-emr-job"
  description        = "What a job on EMR Serverless may do"
  assume_role_policy = data.aws_iam_policy_document.emr_trust[0].json
}

resource "aws_iam_role_policy" "emr_job" {
  for_each = var.enable_emr_serverless ? {
    kafka             = data.aws_iam_policy_document.emr_kafka.json
    tables-and-models = data.aws_iam_policy_document.emr_job[0].json
  } : {}

  name   = each.key
  role   = aws_iam_role.emr_job[0].id
  policy = each.value
}
