output "kafka_bootstrap_brokers" {
  description = "Brokers, host:port with commas; IAM over TLS only, from inside of the VPC."
  value       = local.kafka_bootstrap
}

output "bucket" {
  description = "The lake's bucket: assets/, deltalake/, checkpoint/, models/."
  value       = aws_s3_bucket.lake.id
}

output "athena_workgroup" {
  description = "Workgroup of Athena to query the tables in."
  value       = aws_athena_workgroup.this.name
}

output "glue_database" {
  description = "Database of the tables in the catalog."
  value       = aws_glue_catalog_database.this.name
}

output "glue_tables" {
  description = "The tables."
  value       = sort(keys(aws_glue_catalog_table.lake))
}

output "settings" {
  description = "The platform's settings, as its containers get them: USAGE_* by name."
  value       = local.settings
}

output "emr_settings" {
  description = "Those of the settings that say where jobs on EMR Serverless run; empty without EMR."
  value       = local.emr_settings
}

output "ecr_repository_url" {
  description = "Where to push the platform's image to."
  value       = aws_ecr_repository.this.repository_url
}

output "image" {
  description = "The image that the task runs."
  value       = local.image
}

output "analyst_policy_arn" {
  description = "Policy for people and Power BI: read the tables in Athena."
  value       = aws_iam_policy.analyst.arn
}

output "operator_role_arn" {
  description = "Role for people who operate the platform; null unless operator_principals names some."
  value       = one(aws_iam_role.operator[*].arn)
}

output "alarm_topic_arn" {
  description = "Topic that alarms are told on."
  value       = aws_sns_topic.alarms.arn
}

locals {
  find_task = "task=$(aws ecs list-tasks --region ${var.region} --cluster ${aws_ecs_cluster.this.name} --service-name ${aws_ecs_service.platform.name} --query 'taskArns[0]' --output text)"
  # How Session Manager reaches a page: by the container that it is in and its port there, which is the
  # port here too.
  page_commands = {
    for container, port in { webserver = local.ports.ui, page = local.ports.page } : container => join("; ", [
      local.find_task,
      "runtime=$(aws ecs describe-tasks --region ${var.region} --cluster ${aws_ecs_cluster.this.name} --tasks \"$task\" --query \"tasks[0].containers[?name=='${container}'].runtimeId | [0]\" --output text)",
      "aws ssm start-session --region ${var.region} --target \"ecs:${aws_ecs_cluster.this.name}_$${task##*/}_$runtime\" --document-name AWS-StartPortForwardingSession --parameters portNumber=${port},localPortNumber=${port}",
    ])
  }

  bastion_id = one(aws_instance.bastion[*].id)
}

output "dagster_ui_command" {
  description = "Opens Dagster's pages on http://127.0.0.1:3000 of this machine, by Session Manager."
  value       = local.page_commands.webserver
}

output "page_command" {
  description = "Opens the analyst's page on http://127.0.0.1:8050 of this machine, by Session Manager."
  value       = local.page_commands.page
}

output "shell_command" {
  description = "Opens a shell beside the platform's code, where usage-platform status and watch work."
  value = join("; ", [
    local.find_task,
    "aws ecs execute-command --region ${var.region} --cluster ${aws_ecs_cluster.this.name} --task \"$task\" --container code --interactive --command bash",
  ])
}

output "bastion_commands" {
  description = "How to get to the bastion; empty without one."
  value = merge(
    var.enable_bastion ? { session_manager = "aws ssm start-session --region ${var.region} --target ${local.bastion_id}" } : {},
    local.bastion_has_ssh ? { ssh = "ssh ec2-user@${aws_instance.bastion[0].public_ip}" } : {},
  )
}

output "power_bi_odbc" {
  description = "Settings of Amazon's ODBC driver 2 for Athena, for a data source that Power BI opens."
  value = {
    Driver             = "Amazon Athena ODBC (x64)"
    AwsRegion          = var.region
    Catalog            = "AwsDataCatalog"
    Schema             = aws_glue_catalog_database.this.name
    Workgroup          = aws_athena_workgroup.this.name
    S3OutputLocation   = local.athena_results
    AuthenticationType = "IAM Profile"
    AWSProfile         = "default"
  }
}
