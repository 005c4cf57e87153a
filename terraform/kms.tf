data "aws_iam_policy_document" "key" {
  # In a key's own policy, all resources are this key.
  #checkov:skip=CKV_AWS_109:the account's own policies say who may manage the key
  #checkov:skip=CKV_AWS_111:the account's own policies say who may use the key
  #checkov:skip=CKV_AWS_356:all resources are this key

  statement {
    sid       = "AccountMayUseIamPolicies"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${local.account}:root"]
    }
  }

  statement {
    sid       = "LogsOfThisPrefix"
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${var.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values = [
        for group in ["/${var.global_prefix}", "/aws/rds/instance/${local.database_identifier}"] :
        "arn:aws:logs:${var.region}:${local.account}:log-group:${group}/*"
      ]
    }
  }

  # An alarm can publish to an encrypted topic only with a key of our own.
  statement {
    sid       = "AlarmsToTheTopic"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]

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

resource "aws_kms_key" "this" {
  description             = "Everything that ${var.global_prefix} keeps"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.global_prefix}"
  target_key_id = aws_kms_key.this.key_id
}
