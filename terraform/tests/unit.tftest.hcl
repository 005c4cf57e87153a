# The configuration's own logic, with a provider that makes nothing. What the rendered policies say is
# seen in tests/moto: here each of them is the same empty one.

mock_provider "aws" {
  source = "./tests/mocks"
}

# Applied once; the plans after it look at the same state.

run "defaults_are_three_zones_of_encrypted_kafka" {
  assert {
    condition     = aws_msk_cluster.this[0].number_of_broker_nodes == 3 && length(aws_subnet.private) == 3
    error_message = "expected a broker and a private subnet in each of three zones"
  }
  assert {
    condition     = [for subnet in aws_subnet.private : subnet.availability_zone] == ["us-east-1a", "us-east-1b", "us-east-1c"]
    error_message = "expected the first zones by name, so that a plan is the same each time"
  }
  assert {
    condition     = aws_msk_cluster.this[0].encryption_info[0].encryption_in_transit[0].client_broker == "TLS" && aws_msk_cluster.this[0].encryption_info[0].encryption_in_transit[0].in_cluster
    error_message = "expected TLS only, also between brokers"
  }
  assert {
    condition     = aws_msk_cluster.this[0].encryption_info[0].encryption_at_rest_kms_key_arn == aws_kms_key.this.arn
    error_message = "expected the brokers' disks encrypted with our key"
  }
  assert {
    condition     = !aws_msk_cluster.this[0].client_authentication[0].unauthenticated && aws_msk_cluster.this[0].client_authentication[0].sasl[0].iam && !aws_msk_cluster.this[0].client_authentication[0].sasl[0].scram
    error_message = "expected IAM as the only way to log in"
  }
  assert {
    condition     = aws_msk_cluster.this[0].broker_node_group_info[0].connectivity_info[0].public_access[0].type == "DISABLED"
    error_message = "expected no public access to the brokers"
  }
  assert {
    condition     = aws_msk_cluster.this[0].logging_info[0].broker_logs[0].cloudwatch_logs[0].enabled
    error_message = "expected the brokers' logs in CloudWatch"
  }
  assert {
    condition     = aws_msk_cluster.this[0].broker_node_group_info[0].storage_info[0].ebs_storage_info[0].volume_size == 100 && aws_msk_cluster.this[0].broker_node_group_info[0].instance_type == "kafka.t3.small"
    error_message = "expected small brokers with 100 GiB"
  }
  assert {
    condition = alltrue([
      for line in ["auto.create.topics.enable=false", "default.replication.factor=3", "min.insync.replicas=2", "offsets.topic.replication.factor=3", "transaction.state.log.replication.factor=3", "transaction.state.log.min.isr=2", "log.retention.ms=-1", "transactional.id.expiration.ms=2147483647"] :
      contains(split("\n", aws_msk_configuration.this[0].server_properties), line)
    ])
    error_message = "expected topics made by nobody else, three copies of everything, and nothing forgotten"
  }
  assert {
    condition     = length(aws_msk_serverless_cluster.this) == 0
    error_message = "expected one kind of Kafka"
  }
}

run "the_bucket_is_private_versioned_and_encrypted" {
  command = plan

  assert {
    condition     = aws_s3_bucket_public_access_block.lake.block_public_acls && aws_s3_bucket_public_access_block.lake.block_public_policy && aws_s3_bucket_public_access_block.lake.ignore_public_acls && aws_s3_bucket_public_access_block.lake.restrict_public_buckets
    error_message = "expected a bucket that cannot become public"
  }
  assert {
    condition     = one(aws_s3_bucket_ownership_controls.lake.rule).object_ownership == "BucketOwnerEnforced"
    error_message = "expected no access lists"
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.lake.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms" && one(aws_s3_bucket_server_side_encryption_configuration.lake.rule).bucket_key_enabled
    error_message = "expected encryption with our key, asked for once a bucket and not once an object"
  }
  assert {
    condition     = aws_s3_bucket_versioning.lake.versioning_configuration[0].status == "Enabled"
    error_message = "expected versions"
  }
  assert {
    condition     = toset(keys(aws_s3_object.folder)) == toset(["assets/", "checkpoint/", "deltalake/", "models/"])
    error_message = "expected the lake's folders"
  }
  assert {
    condition     = !aws_s3_bucket.lake.force_destroy && aws_db_instance.dagster.deletion_protection && !aws_db_instance.dagster.skip_final_snapshot
    error_message = "expected data that are not destroyed by mistake"
  }
}

run "no_rule_expires_a_current_object_of_the_tables_or_their_progress" {
  command = plan

  assert {
    condition = alltrue([
      for rule in aws_s3_bucket_lifecycle_configuration.lake.rule :
      contains(["athena-results/", "dagster-logs/"], rule.filter[0].prefix)
      if length([for expiry in rule.expiration : expiry if try(expiry.days > 0, false) || expiry.date != null]) > 0
    ])
    error_message = "expected only results of queries and logs of runs to expire"
  }
  assert {
    condition     = one([for rule in aws_s3_bucket_lifecycle_configuration.lake.rule : rule.noncurrent_version_expiration[0].noncurrent_days if rule.id == "old-versions"]) == 7
    error_message = "expected old versions to go after a week"
  }
}

run "the_platform_is_one_task_that_never_runs_twice" {
  command = plan

  assert {
    condition     = aws_ecs_service.platform.desired_count == 1 && aws_ecs_service.platform.deployment_minimum_healthy_percent == 0 && aws_ecs_service.platform.deployment_maximum_percent == 100
    error_message = "expected the old task to end before a new one writes to the lake"
  }
  assert {
    condition     = toset([for container in jsondecode(aws_ecs_task_definition.platform.container_definitions) : container.name]) == toset(["code", "daemon", "page", "spark", "webserver"])
    error_message = "expected Spark, Dagster's three parts and the page in the task"
  }
  assert {
    condition     = alltrue([for container in jsondecode(aws_ecs_task_definition.platform.container_definitions) : container.image == "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:0.1.0" && container.essential == (container.name != "page") && container.restartPolicy.enabled == (container.name == "page")])
    error_message = "expected one image, by its version, in containers that all have to live but the page, which is started again"
  }
  assert {
    condition     = alltrue([for container in jsondecode(aws_ecs_task_definition.platform.container_definitions) : !can(container.portMappings) && !contains(container.command, "0.0.0.0")])
    error_message = "expected containers that nobody outside of the task reaches"
  }
  assert {
    condition = alltrue([
      for container in jsondecode(aws_ecs_task_definition.platform.container_definitions) :
      [for mount in container.mountPoints : [mount.sourceVolume, mount.containerPath, mount.readOnly]] == [["run", "/var/lib/usage-platform/run", false]]
    ]) && [for volume in aws_ecs_task_definition.platform.volume : volume.name] == ["run"]
    error_message = "expected a folder of locks that all containers share"
  }
  assert {
    condition = alltrue([
      for container in jsondecode(aws_ecs_task_definition.platform.container_definitions) :
      container.logConfiguration.options.mode == "non-blocking" && (contains(["spark", "page", "webserver"], container.name) ? strcontains(join(" ", container.healthCheck.command), "server_replies(") : container.healthCheck.command[0] == "CMD")
    ])
    error_message = "expected logs that hold nothing up, and health checks that ask for an answer"
  }
  assert {
    condition = alltrue([
      for container in jsondecode(aws_ecs_task_definition.platform.container_definitions) :
      { for pair in container.environment : pair.name => pair.value if startswith(pair.name, "USAGE_") } == output.settings
    ])
    error_message = "expected the settings of the output in each container"
  }
  assert {
    condition = alltrue([
      for container in jsondecode(aws_ecs_task_definition.platform.container_definitions) :
      sort([for secret in container.secrets : secret.name]) == sort(contains(["page", "spark"], container.name) ? [] : ["DAGSTER_POSTGRES_PASSWORD", "DAGSTER_POSTGRES_USER"]) && !anytrue([for pair in container.environment : strcontains(pair.name, "PASSWORD")])
    ])
    error_message = "expected the database's password as a secret and nowhere else"
  }
  assert {
    condition     = !aws_ecs_service.platform.network_configuration[0].assign_public_ip && toset(aws_ecs_service.platform.network_configuration[0].subnets) == toset(aws_subnet.private[*].id)
    error_message = "expected a task without a public address"
  }
  assert {
    condition     = aws_ecs_service.platform.deployment_circuit_breaker[0].rollback && aws_ecs_task_definition.platform.skip_destroy
    error_message = "expected a deployment that fails to go back to a revision that is there still"
  }
  assert {
    condition     = aws_ecs_service.platform.enable_execute_command && aws_ecs_cluster.this.configuration[0].execute_command_configuration[0].log_configuration[0].cloud_watch_encryption_enabled
    error_message = "expected shells by Session Manager, written to an encrypted log"
  }
  assert {
    condition     = aws_db_instance.dagster.storage_encrypted && aws_db_instance.dagster.manage_master_user_password && !aws_db_instance.dagster.publicly_accessible && aws_db_instance.dagster.password == null
    error_message = "expected a private encrypted database with a password that Terraform never sees"
  }
  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE" && aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push
    error_message = "expected images that cannot be changed and are scanned"
  }
}

run "secrets_of_settings_are_read_by_the_task_alone" {
  command = plan

  variables {
    settings = { USAGE_ALERT_EMAIL_TO = "energy@example.org" }
    secret_settings = {
      USAGE_ALERT_SLACK_URL = "arn:aws:secretsmanager:us-east-1:123456789012:secret:slack-AbCdEf"
      USAGE_ALERT_SMTP_URL  = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mail-AbCdEf:url::"
    }
    outgoing_ports = [443, 587]
  }

  assert {
    condition = alltrue([
      for container in jsondecode(aws_ecs_task_definition.platform.container_definitions) :
      tomap({ for secret in container.secrets : secret.name => secret.valueFrom if startswith(secret.name, "USAGE_") }) == var.secret_settings && !anytrue([for pair in container.environment : contains(keys(var.secret_settings), pair.name)])
    ])
    error_message = "expected the ARN of each secret in each container, and no value"
  }
  assert {
    condition     = [for rule in aws_vpc_security_group_egress_rule.outgoing : [rule.from_port, rule.to_port, rule.security_group_id == aws_security_group.this["platform"].id]] == [[587, 587, true]]
    error_message = "expected the task to reach the mail server, and one rule a port"
  }
  assert {
    condition     = !strcontains(jsonencode(output.settings), "SLACK")
    error_message = "expected no secret setting in the outputs"
  }
}

run "a_mail_server_that_the_task_cannot_reach_is_refused" {
  command = plan

  variables {
    settings        = { USAGE_ALERT_EMAIL_TO = "energy@example.org" }
    secret_settings = { USAGE_ALERT_SMTP_URL = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mail-AbCdEf" }
  }

  expect_failures = [var.outgoing_ports]
}

run "a_setting_that_the_platform_does_not_know_is_refused" {
  command = plan

  variables {
    settings = { USAGE_SOURCES = "ckan" }
  }

  expect_failures = [var.settings]
}

run "regions_with_other_names_are_refused" {
  command = plan

  variables {
    region = "us-gov-west-1"
  }

  expect_failures = [var.region]
}

run "the_platform_may_tell_the_topic_of_alerts_and_no_other" {
  command = plan

  assert {
    condition     = !contains(keys(aws_iam_role_policy.platform), "alerts") && length(aws_vpc_security_group_egress_rule.outgoing) == 0
    error_message = "expected no topic, and no port but 443, unless asked for"
  }
}

run "nobody_operates_the_platform_unless_named" {
  command = plan

  assert {
    condition     = length(aws_iam_role.operator) == 0 && length(aws_iam_role_policy.operator) == 0 && length(aws_iam_role_policy_attachment.operator_reads_tables) == 0 && output.operator_role_arn == null
    error_message = "expected no role for operators"
  }
}

run "everything_that_keeps_data_uses_our_key" {
  command = plan

  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "expected a key that is changed each year"
  }
  assert {
    condition     = alltrue([for group in concat(values(aws_cloudwatch_log_group.this), aws_cloudwatch_log_group.emr, [aws_cloudwatch_log_group.database]) : group.kms_key_id == aws_kms_key.this.arn && group.retention_in_days == 365])
    error_message = "expected encrypted logs that are kept for a year"
  }
  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == aws_kms_key.this.arn && aws_db_instance.dagster.kms_key_id == aws_kms_key.this.arn && one(aws_ecr_repository.this.encryption_configuration).kms_key == aws_kms_key.this.arn
    error_message = "expected our key for alarms, database and images"
  }
  assert {
    condition     = aws_athena_workgroup.this.configuration[0].result_configuration[0].encryption_configuration[0].kms_key_arn == aws_kms_key.this.arn && aws_athena_workgroup.this.configuration[0].enforce_workgroup_configuration
    error_message = "expected encrypted results of queries, whatever a client asks for"
  }
  assert {
    condition     = aws_athena_workgroup.this.configuration[0].bytes_scanned_cutoff_per_query == 10 * 1024 * 1024 * 1024
    error_message = "expected a query to end at 10 GiB"
  }
}

run "nothing_is_reached_from_the_internet" {
  command = plan

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.flow : rule.cidr_ipv4 == null && rule.cidr_ipv6 == null && rule.from_port == rule.to_port]) && length(aws_vpc_security_group_ingress_rule.ssh) == 0
    error_message = "expected ingress from our own groups only, on single ports"
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.flow : rule.from_port]) == toset([5432, 9098])
    error_message = "expected only Postgres and Kafka's port for IAM"
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_egress_rule.https : rule.from_port == 443 && rule.to_port == 443])
    error_message = "expected nothing but HTTPS to leave the VPC"
  }
  assert {
    condition     = !aws_subnet.public.map_public_ip_on_launch && length(aws_instance.bastion) == 0
    error_message = "expected no host with a public address"
  }
}

run "alarms_watch_disks_controller_scorer_runs_and_task" {
  command = plan

  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset(["broker-1-disk", "broker-2-disk", "broker-3-disk", "controller", "database-disk", "failed-runs", "offline-partitions", "scorer-lag", "task"])
    error_message = "expected an alarm for each disk, the controller, the scorer's lag, failed runs and the task"
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_actions == toset([aws_sns_topic.alarms.arn])])
    error_message = "expected alarms to be told"
  }
  assert {
    condition = (
      aws_cloudwatch_log_metric_filter.failed_runs.log_group_name == aws_cloudwatch_log_group.this["platform"].name &&
      aws_cloudwatch_metric_alarm.this["failed-runs"].namespace == one(aws_cloudwatch_log_metric_filter.failed_runs.metric_transformation).namespace &&
      aws_cloudwatch_metric_alarm.this["failed-runs"].metric_name == one(aws_cloudwatch_log_metric_filter.failed_runs.metric_transformation).name &&
      aws_cloudwatch_metric_alarm.this["failed-runs"].threshold == 0 && aws_cloudwatch_metric_alarm.this["failed-runs"].evaluation_periods == 1
    )
    error_message = "expected an alarm when a line of the task's log says that a run has failed"
  }
  assert {
    condition     = length(aws_sns_topic_subscription.email) == 0 && length(aws_budgets_budget.month) == 0
    error_message = "expected nobody to be mailed unless asked for"
  }
}

run "outputs_say_how_to_use_it" {
  command = plan

  assert {
    condition = output.settings == {
      USAGE_ATHENA_DATABASE    = "usage_platform"
      USAGE_ATHENA_WORKGROUP   = "usage-platform"
      USAGE_EMR_APPLICATION_ID = "00a"
      USAGE_EMR_CODE           = "s3://the-lake/assets/emr"
      USAGE_EMR_LOG_GROUP      = "/usage-platform/emr"
      USAGE_EMR_ROLE_ARN       = "arn:aws:iam::123456789012:role/a-role"
      USAGE_KAFKA_BOOTSTRAP    = "b-1.a.kafka.us-east-1.amazonaws.com:9098,b-2.a.kafka.us-east-1.amazonaws.com:9098"
      USAGE_KAFKA_PARTITIONS   = "3"
      USAGE_KAFKA_REPLICATION  = "3"
      USAGE_KAFKA_SECURITY     = "iam"
      USAGE_LAKE               = "s3://the-lake"
      USAGE_SPARK_REMOTE       = "sc://127.0.0.1:15002"
    }
    error_message = "expected the platform's settings"
  }
  assert {
    condition     = output.emr_settings == tomap({ for name, value in output.settings : name => value if startswith(name, "USAGE_EMR_") })
    error_message = "expected where EMR's jobs run"
  }
  assert {
    condition     = output.kafka_bootstrap_brokers == output.settings.USAGE_KAFKA_BOOTSTRAP && output.bucket == "the-lake" && output.athena_workgroup == "usage-platform"
    error_message = "expected brokers, bucket and workgroup"
  }
  assert {
    condition     = strcontains(output.dagster_ui_command, "AWS-StartPortForwardingSession --parameters portNumber=3000") && strcontains(output.dagster_ui_command, "ecs:usage-platform_$${task##*/}_$runtime")
    error_message = "expected the command that opens Dagster's pages"
  }
  assert {
    condition     = strcontains(output.page_command, "AWS-StartPortForwardingSession --parameters portNumber=8050") && strcontains(output.page_command, "name=='page'")
    error_message = "expected the command that opens the analyst's page"
  }
  assert {
    condition     = strcontains(output.shell_command, "aws ecs execute-command") && strcontains(output.shell_command, "--container code")
    error_message = "expected the command that opens a shell"
  }
  assert {
    condition     = output.power_bi_odbc.S3OutputLocation == "s3://the-lake/athena-results/" && output.power_bi_odbc.Schema == "usage_platform" && output.power_bi_odbc.Workgroup == "usage-platform"
    error_message = "expected what Power BI's data source needs"
  }
  assert {
    condition     = length(output.bastion_commands) == 0
    error_message = "expected no way to a bastion that is not there"
  }
}

run "a_prefix_is_in_every_name" {
  variables {
    global_prefix  = "north-campus"
    enable_bastion = true
  }

  assert {
    condition = alltrue([
      for name in concat(
        [aws_msk_cluster.this[0].cluster_name, aws_msk_configuration.this[0].name, aws_s3_bucket.lake.bucket, aws_kms_alias.this.name],
        [aws_ecs_cluster.this.name, aws_ecs_task_definition.platform.family, aws_ecr_repository.this.name, aws_db_instance.dagster.identifier],
        [aws_athena_workgroup.this.name, aws_sns_topic.alarms.name, aws_emrserverless_application.this[0].name, aws_iam_policy.analyst.name],
        [aws_iam_role.platform.name, aws_iam_role.execution.name, aws_iam_role.emr_job[0].name, aws_iam_role.bastion[0].name, aws_iam_role.flow_log.name],
        [for group in aws_security_group.this : group.name],
        [for group in concat(values(aws_cloudwatch_log_group.this), aws_cloudwatch_log_group.emr) : group.name],
        [for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name],
      ) : strcontains(name, "north-campus")
    ])
    error_message = "expected the prefix in every name, so that two platforms fit into one account"
  }
  assert {
    condition     = aws_glue_catalog_database.this.name == "north_campus"
    error_message = "expected a database that SQL can name without quotes"
  }
  assert {
    condition     = aws_s3_bucket.lake.bucket == "north-campus-123456789012-us-east-1"
    error_message = "expected a bucket named after prefix, account and region"
  }
}

run "two_zones_keep_two_copies" {
  variables {
    availability_zone_count = 2
    kafka_brokers_per_zone  = 2
    kafka_partitions        = 6
  }

  assert {
    condition     = aws_msk_cluster.this[0].number_of_broker_nodes == 4 && length(aws_subnet.private) == 2
    error_message = "expected two brokers in each of two zones"
  }
  assert {
    condition     = strcontains(aws_msk_configuration.this[0].server_properties, "offsets.topic.replication.factor=2") && strcontains(aws_msk_configuration.this[0].server_properties, "min.insync.replicas=1") && output.settings.USAGE_KAFKA_REPLICATION == "2"
    error_message = "expected as many copies as zones, also of Kafka's own topics"
  }
  assert {
    condition     = output.settings.USAGE_KAFKA_PARTITIONS == "6" && contains(keys(aws_cloudwatch_metric_alarm.this), "broker-4-disk")
    error_message = "expected partitions as asked for and an alarm for each broker"
  }
}

run "serverless_kafka_takes_the_place_of_brokers" {
  variables {
    kafka_mode              = "serverless"
    availability_zone_count = 2
  }

  assert {
    condition     = length(aws_msk_cluster.this) == 0 && length(aws_msk_configuration.this) == 0 && aws_msk_serverless_cluster.this[0].client_authentication[0].sasl[0].iam[0].enabled
    error_message = "expected a serverless cluster with IAM"
  }
  assert {
    condition     = output.settings.USAGE_KAFKA_BOOTSTRAP == "boot-a.c1.kafka-serverless.us-east-1.amazonaws.com:9098" && output.settings.USAGE_KAFKA_REPLICATION == "3"
    error_message = "expected its address, and the three copies it always keeps"
  }
  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset(["database-disk", "failed-runs", "scorer-lag", "task"])
    error_message = "expected no alarm on brokers that are not ours"
  }
}

run "everything_optional_off_or_of_ones_own" {
  variables {
    enable_emr_serverless = false
    protect_data          = false
    bucket_name           = "a-lake-of-ours"
    image                 = "registry.example.org/usage-platform@sha256:0000000000000000000000000000000000000000000000000000000000000000"
    cpu_architecture      = "ARM64"
    task_cpu              = 4096
    task_memory           = 16384
    settings              = { USAGE_SOURCE = "ckan", USAGE_TIMEZONE = "Europe/Rome" }
    athena_scan_limit_gib = 1
    log_retention_days    = 7
    alarm_email           = "energy@example.org"
    monthly_budget_usd    = 300
    database_multi_az     = true
  }

  assert {
    condition     = length(aws_emrserverless_application.this) == 0 && length(aws_iam_role.emr_job) == 0 && length(aws_iam_role_policy.emr_job) == 0 && length(output.emr_settings) == 0 && length(aws_cloudwatch_log_group.emr) == 0 && !contains(keys(aws_security_group.this), "emr") && !contains(keys(aws_iam_role_policy.platform), "emr")
    error_message = "expected nothing of EMR"
  }
  assert {
    condition     = aws_s3_bucket.lake.force_destroy && !aws_db_instance.dagster.deletion_protection && aws_db_instance.dagster.skip_final_snapshot && aws_athena_workgroup.this.force_destroy && aws_ecr_repository.this.force_delete
    error_message = "expected a platform that terraform destroy takes away"
  }
  assert {
    condition     = aws_s3_bucket.lake.bucket == "a-lake-of-ours" && output.image == var.image && aws_ecs_task_definition.platform.runtime_platform[0].cpu_architecture == "ARM64"
    error_message = "expected bucket, image and processor as given"
  }
  assert {
    condition     = output.settings.USAGE_SOURCE == "ckan" && output.settings.USAGE_TIMEZONE == "Europe/Rome" && output.settings.USAGE_LAKE == "s3://the-lake"
    error_message = "expected further settings beside those that are set here"
  }
  assert {
    condition     = aws_sns_topic_subscription.email[0].endpoint == "energy@example.org" && aws_budgets_budget.month[0].limit_amount == "300" && aws_db_instance.dagster.multi_az
    error_message = "expected a mailed alarm, a budget and a standby"
  }
}

run "a_bastion_is_reached_by_session_manager_alone" {
  variables {
    enable_bastion = true
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.ssh) == 0 && aws_instance.bastion[0].subnet_id == aws_subnet.private[0].id && keys(output.bastion_commands) == tolist(["session_manager"])
    error_message = "expected a private host without SSH"
  }
  assert {
    condition     = aws_instance.bastion[0].metadata_options[0].http_tokens == "required" && aws_instance.bastion[0].root_block_device[0].encrypted
    error_message = "expected tokens for its metadata and an encrypted disk"
  }
}

run "ssh_to_a_bastion_is_open_to_the_named_ranges_only" {
  variables {
    enable_bastion        = true
    bastion_allowed_cidrs = ["203.0.113.7/32", "198.51.100.0/24"]
    bastion_public_key    = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPT1hsgdiVtSZJjKJG0ufwbHgg3shT0tPsvLJ4PVTY8T somebody"
  }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.ssh : rule.cidr_ipv4]) == toset(["203.0.113.7/32", "198.51.100.0/24"]) && alltrue([for rule in aws_vpc_security_group_ingress_rule.ssh : rule.from_port == 22 && rule.to_port == 22])
    error_message = "expected SSH from the named ranges"
  }
  assert {
    condition     = aws_instance.bastion[0].subnet_id == aws_subnet.public.id && aws_instance.bastion[0].associate_public_ip_address && startswith(output.bastion_commands.ssh, "ssh ec2-user@")
    error_message = "expected a public host and the command to reach it"
  }
}

run "values_that_cannot_work_are_refused" {
  command = plan

  variables {
    region                  = "Virginia"
    global_prefix           = "Usage Platform"
    bucket_name             = "with.dots"
    vpc_cidr                = "8.8.0.0/16"
    availability_zone_count = 1
    kafka_mode              = "external"
    kafka_version           = "3.7.x"
    kafka_instance_type     = "kafka.nonsense"
    kafka_brokers_per_zone  = 0
    kafka_volume_size       = 0
    kafka_partitions        = 0
    image                   = "usage-platform:latest"
    image_tag               = "latest"
    cpu_architecture        = "x86"
    task_cpu                = 1024
    settings                = { SOURCE = "ckan" }
    secret_settings         = { USAGE_ALERT_SLACK_URL = "https://hooks.example.org/T000" }
    operator_principals     = ["arn:aws:iam::123456789012:root"]
    database_instance_class = "t4g.micro"
    athena_scan_limit_gib   = 0
    emr_release_label       = "latest"
    emr_maximum_vcpu        = 1
    bastion_public_key      = "-----BEGIN OPENSSH PRIVATE KEY-----"
    log_retention_days      = 1
    alarm_email             = "nobody"
  }

  expect_failures = [
    var.region, var.global_prefix, var.bucket_name, var.vpc_cidr, var.availability_zone_count,
    var.kafka_mode, var.kafka_version, var.kafka_instance_type, var.kafka_brokers_per_zone,
    var.kafka_volume_size, var.kafka_partitions, var.image, var.image_tag, var.cpu_architecture,
    var.task_cpu, var.settings, var.secret_settings, var.database_instance_class, var.athena_scan_limit_gib,
    var.emr_release_label, var.emr_maximum_vcpu, var.bastion_public_key, var.log_retention_days,
    var.alarm_email, var.operator_principals,
  ]
}

# Their checks look at other variables too, and are left out where those are refused.
run "values_that_cannot_work_beside_good_ones_are_refused" {
  command = plan

  variables {
    task_memory           = 2048
    outgoing_ports        = [25]
    enable_bastion        = true
    bastion_allowed_cidrs = ["0.0.0.0/0"]
    bastion_public_key    = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPT1hsgdiVtSZJjKJG0ufwbHgg3shT0tPsvLJ4PVTY8T somebody"
    alarm_email           = "energy@example.org"
    monthly_budget_usd    = 0
  }

  expect_failures = [var.task_memory, var.outgoing_ports, var.bastion_allowed_cidrs, var.monthly_budget_usd]
}

run "a_secret_is_no_plain_setting_and_a_plain_setting_no_secret" {
  command = plan

  variables {
    settings        = { USAGE_ALERT_SLACK_URL = "https://hooks.example.org/T000" }
    secret_settings = { USAGE_SOURCE = "arn:aws:secretsmanager:us-east-1:123456789012:secret:source-AbCdEf" }
  }

  expect_failures = [var.settings, var.secret_settings]
}

run "values_that_do_not_fit_together_are_refused" {
  command = plan

  variables {
    task_cpu              = 4096
    task_memory           = 6144
    settings              = { USAGE_LAKE = "s3://another" }
    bastion_allowed_cidrs = ["203.0.113.7/32"]
    monthly_budget_usd    = 300
    image                 = "registry.example.org/usage-platform"
  }

  expect_failures = [
    var.task_memory, var.settings, var.bastion_allowed_cidrs, var.monthly_budget_usd, var.image,
  ]
}
