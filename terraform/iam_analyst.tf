# For people and for Power BI: give it to their users or roles.

data "aws_iam_policy_document" "analyst" {
  source_policy_documents = [data.aws_iam_policy_document.athena.json]

  # Drivers list these to offer a choice.
  statement {
    sid = "Choose"
    actions = [
      "athena:GetDataCatalog",
      "athena:GetDatabase",
      "athena:GetTableMetadata",
      "athena:ListDatabases",
      "athena:ListTableMetadata",
    ]
    resources = ["arn:aws:athena:${var.region}:${local.account}:datacatalog/AwsDataCatalog"]
  }

  statement {
    sid       = "ListBucket"
    actions   = ["s3:GetBucketLocation", "s3:ListBucket"]
    resources = [aws_s3_bucket.lake.arn]
  }

  statement {
    sid       = "ReadTables"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.lake.arn}/deltalake/*", "${aws_s3_bucket.lake.arn}/athena-results/*"]
  }

  statement {
    sid       = "KeepResults"
    actions   = ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"]
    resources = ["${aws_s3_bucket.lake.arn}/athena-results/*"]
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

resource "aws_iam_policy" "analyst" {
  name        = "${var.global_prefix}-analyst"
  description = "Read the tables of ${var.global_prefix} in Athena"
  policy      = data.aws_iam_policy_document.analyst.json
}
