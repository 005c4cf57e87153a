# The Delta tables as Athena and Power BI find them. Athena reads columns and files from each table's
# own log; what stands here is for people and for tools that ask the catalog. A test compares
# lake_tables.json with the tables of the code.

locals {
  lake_tables = jsondecode(file("${path.module}/lake_tables.json"))

  athena_results = "s3://${aws_s3_bucket.lake.id}/athena-results/"
}

resource "aws_glue_catalog_database" "this" {
  name        = local.database_name
  description = "Tables of ${var.global_prefix}"
  # Spark refuses a database without one.
  location_uri = "s3://${aws_s3_bucket.lake.id}/deltalake"
}

resource "aws_glue_catalog_table" "lake" {
  for_each = local.lake_tables

  name          = each.key
  database_name = aws_glue_catalog_database.this.name
  table_type    = "EXTERNAL_TABLE"

  # Tables that Athena makes have the first three, Spark looks for the last one.
  parameters = {
    EXTERNAL                     = "TRUE"
    table_type                   = "DELTA"
    classification               = "delta"
    "spark.sql.sources.provider" = "delta"
  }

  storage_descriptor {
    location      = "s3://${aws_s3_bucket.lake.id}/deltalake/${each.key}"
    input_format  = "org.apache.hadoop.mapred.SequenceFileInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveSequenceFileOutputFormat"

    ser_de_info {
      serialization_library = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
      parameters = {
        "serialization.format" = "1"
        path                   = "s3://${aws_s3_bucket.lake.id}/deltalake/${each.key}"
      }
    }

    dynamic "columns" {
      for_each = each.value

      content {
        name    = columns.value.name
        type    = columns.value.type
        comment = columns.value.comment
      }
    }
  }
}

resource "aws_athena_workgroup" "this" {
  name          = var.global_prefix
  description   = "Queries over the tables of ${var.global_prefix}"
  force_destroy = !var.protect_data

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.athena_scan_limit_gib * pow(1024, 3)

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    result_configuration {
      output_location       = local.athena_results
      expected_bucket_owner = local.account

      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = aws_kms_key.this.arn
      }
    }
  }
}
