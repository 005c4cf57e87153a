locals {
  image = coalesce(var.image, "${aws_ecr_repository.this.repository_url}:${var.image_tag}")

  environment = merge(local.settings, {
    AWS_REGION            = var.region
    AWS_DEFAULT_REGION    = var.region
    DAGSTER_POSTGRES_HOST = aws_db_instance.dagster.address
    DAGSTER_LOGS_BUCKET   = aws_s3_bucket.lake.id
  })

  secret = aws_db_instance.dagster.master_user_secret[0].secret_arn
  secrets = [
    { name = "DAGSTER_POSTGRES_USER", valueFrom = "${local.secret}:username::" },
    { name = "DAGSTER_POSTGRES_PASSWORD", valueFrom = "${local.secret}:password::" },
  ]
  # For every container: a setting without the secret that belongs to it is refused at its start.
  secret_settings = [for name, arn in var.secret_settings : { name = name, valueFrom = arn }]

  spark_port = 15002
  code_port  = 4000

  # A process that hangs still has its port open: only an answer says that it works.
  replies = "import sys; from usage_platform.local import replies as r; sys.exit(not r.server_replies(%d, r.%s))"

  # Locks, by which writers to the lake take turns. Spark writes the batch of a run that was killed to
  # its end, and only by a file that both see does the next run wait for it.
  shared_folder = "/var/lib/usage-platform/run"

  # Each with its command, how one sees that it works and how often one looks (each of Dagster's own
  # looks takes a second or two of a processor), what has to work before it, whether it is a part of
  # Dagster, which alone gets its database's password, and whether the others stop when it does. They
  # listen on the task's own loopback: the pages have no log-in, and Spark would do what anybody asks.
  containers = {
    spark = {
      command = ["python", "deploy/spark_connect.py", tostring(local.spark_port)]
      healthy = ["python", "-c", format(local.replies, local.spark_port, "GRPC")]
      every   = 10
      after   = []
      dagster = false
      vital   = true
    }
    code = {
      command = ["python", "deploy/code_server.py", tostring(local.code_port)]
      healthy = ["dagster", "api", "grpc-health-check", "-h", "127.0.0.1", "-p", tostring(local.code_port)]
      every   = 30
      after   = ["spark"]
      dagster = true
      vital   = true
    }
    daemon = {
      command = ["dagster-daemon", "run", "-w", "deploy/workspace.yaml"]
      # It asks the database, so that a changed password is noticed.
      healthy = ["dagster-daemon", "liveness-check"]
      every   = 60
      after   = ["code"]
      dagster = true
      vital   = true
    }
    webserver = {
      command = ["usage-platform", "ui", "--port", tostring(local.ports.ui), "--workspace", "deploy/workspace.yaml"]
      healthy = ["python", "-c", format(local.replies, local.ports.ui, "HTTP")]
      every   = 60
      after   = ["code"]
      dagster = true
      vital   = true
    }
    # It only looks: when it ends it is started again, and the readings come in meanwhile.
    page = {
      command = ["usage-platform", "page", "--port", tostring(local.ports.page)]
      healthy = ["python", "-c", format(local.replies, local.ports.page, "HTTP")]
      every   = 60
      after   = []
      dagster = false
      vital   = false
    }
  }
}

resource "aws_ecs_cluster" "this" {
  name = var.global_prefix

  setting {
    name  = "containerInsights"
    value = "enabled"
  }

  configuration {
    execute_command_configuration {
      kms_key_id = aws_kms_key.this.arn
      logging    = "OVERRIDE"

      log_configuration {
        cloud_watch_encryption_enabled = true
        cloud_watch_log_group_name     = aws_cloudwatch_log_group.this["shells"].name
      }
    }
  }
}

resource "aws_ecs_task_definition" "platform" {
  family                   = var.global_prefix
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.task_cpu
  memory                   = var.task_memory
  task_role_arn            = aws_iam_role.platform.arn
  execution_role_arn       = aws_iam_role.execution.arn
  # A deployment that fails goes back to the revision before, which must be there still.
  skip_destroy = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }

  # Spark's shuffle files and the parts of uploads.
  ephemeral_storage {
    size_in_gib = 40
  }

  volume {
    name = "run"
  }

  container_definitions = jsonencode([
    for name, container in local.containers : {
      name        = name
      image       = local.image
      essential   = container.vital
      command     = container.command
      stopTimeout = 120

      restartPolicy = { enabled = !container.vital, restartAttemptPeriod = 60 }

      environment = [for key, value in local.environment : { name = key, value = value }]
      secrets     = concat([for secret in local.secrets : secret if container.dagster], local.secret_settings)

      dependsOn = [for other in container.after : { containerName = other, condition = "HEALTHY" }]
      healthCheck = {
        command     = concat(["CMD"], container.healthy)
        interval    = container.every
        timeout     = 20
        retries     = 5
        startPeriod = 180
      }

      linuxParameters = { initProcessEnabled = true }
      mountPoints     = [{ sourceVolume = "run", containerPath = local.shared_folder, readOnly = false }]

      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.this["platform"].name
          awslogs-region        = var.region
          awslogs-stream-prefix = name
          # While CloudWatch cannot be reached, a full log must not hold up the processes.
          mode            = "non-blocking"
          max-buffer-size = "10m"
        }
      }
    }
  ])
}

# One task, and the old one ends before a new one starts: two would both write to the lake.
resource "aws_ecs_service" "platform" {
  name                   = "platform"
  cluster                = aws_ecs_cluster.this.id
  task_definition        = aws_ecs_task_definition.platform.arn
  launch_type            = "FARGATE"
  enable_execute_command = true
  propagate_tags         = "SERVICE"

  desired_count                      = 1
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = aws_subnet.private[*].id
    security_groups  = [aws_security_group.this["platform"].id]
    assign_public_ip = false
  }

  # The task needs all of them when it starts, and ECS reads none of them itself.
  depends_on = [
    aws_iam_role_policy.execution,
    aws_iam_role_policy.platform,
    aws_route.private_to_nat,
    aws_vpc_security_group_egress_rule.flow,
    aws_vpc_security_group_egress_rule.https,
    aws_vpc_security_group_ingress_rule.flow,
  ]
}
