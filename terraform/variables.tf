# Where and under which names

variable "region" {
  description = "AWS region that everything is made in."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: expected the name of a region such as us-east-1."
  }

  # Their names of resources and hosts are others.
  validation {
    condition     = !can(regex("^(cn|us-gov|us-iso|eu-isoe)", var.region))
    error_message = "region: expected one of the commercial regions; those of China and of governments are not supported."
  }
}

variable "global_prefix" {
  description = "Beginning of every name, so that several platforms fit into one account."
  type        = string
  default     = "usage-platform"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.global_prefix))
    error_message = "global_prefix: expected 3 to 24 small letters, digits and dashes, beginning with a letter, not ending with a dash."
  }
}

variable "bucket_name" {
  description = "Name of the lake's bucket; null makes one of prefix, account and region."
  type        = string
  default     = null

  validation {
    condition     = var.bucket_name == null || can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name: expected 3 to 63 small letters, digits and dashes (dots break TLS host names)."
  }
}

variable "protect_data" {
  description = "Refuse to destroy a bucket that holds data and a database; false lets terraform destroy take everything away."
  type        = bool
  default     = true
}

# Network

variable "vpc_cidr" {
  description = "Private IPv4 range of the VPC."
  type        = string
  default     = "10.60.0.0/16"

  validation {
    condition     = can(regex("^(10\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|192\\.168\\.).*/(1[6-9]|20)$", var.vpc_cidr)) && can(cidrnetmask(var.vpc_cidr))
    error_message = "vpc_cidr: expected a private range of size /16 to /20, such as 10.60.0.0/16."
  }
}

variable "availability_zone_count" {
  description = "Zones to spread over. 3 keeps every event when a zone is lost; 2 is cheaper and weaker."
  type        = number
  default     = 3

  validation {
    condition     = contains([2, 3], var.availability_zone_count)
    error_message = "availability_zone_count: expected 2 or 3."
  }
}

# Kafka

variable "kafka_mode" {
  description = "provisioned: brokers of our own. serverless: none to look after, at more than twice the price of small brokers."
  type        = string
  default     = "provisioned"

  validation {
    condition     = contains(["provisioned", "serverless"], var.kafka_mode)
    error_message = "kafka_mode: expected provisioned or serverless."
  }
}

variable "kafka_version" {
  description = "Version of Kafka on MSK. At least 3.8: with an older one IAM does not let transactions end. KRaft, which cannot be switched on later by Terraform."
  type        = string
  default     = "3.9.x.kraft"

  validation {
    condition     = can(regex("^(3\\.([89]|[1-9][0-9])|[4-9]\\.[0-9]+)\\.(x|[0-9]+)(\\.kraft)?$", var.kafka_version))
    error_message = "kafka_version: expected 3.8 or newer as MSK writes it, such as 3.9.x.kraft."
  }
}

variable "kafka_instance_type" {
  description = "Type of the brokers."
  type        = string
  default     = "kafka.t3.small"

  validation {
    condition     = can(regex("^kafka\\.(t3\\.small|m5\\.(large|[0-9]*xlarge)|m7g\\.(large|[0-9]*xlarge))$", var.kafka_instance_type))
    error_message = "kafka_instance_type: expected kafka.t3.small, or a size of kafka.m5 or kafka.m7g such as kafka.m7g.large."
  }
}

variable "kafka_brokers_per_zone" {
  description = "Brokers in each zone."
  type        = number
  default     = 1

  validation {
    condition     = var.kafka_brokers_per_zone >= 1 && var.kafka_brokers_per_zone <= 10 && floor(var.kafka_brokers_per_zone) == var.kafka_brokers_per_zone
    error_message = "kafka_brokers_per_zone: expected a whole number from 1 to 10."
  }
}

variable "kafka_volume_size" {
  description = "Disk of each broker, GiB. It can grow later, never shrink."
  type        = number
  default     = 100

  validation {
    condition     = var.kafka_volume_size >= 1 && var.kafka_volume_size <= 16384 && floor(var.kafka_volume_size) == var.kafka_volume_size
    error_message = "kafka_volume_size: expected a whole number of GiB from 1 to 16384."
  }
}

variable "kafka_partitions" {
  description = "Partitions of the topics, which the platform makes when it starts."
  type        = number
  default     = 3

  validation {
    condition     = var.kafka_partitions >= 1 && var.kafka_partitions <= 100 && floor(var.kafka_partitions) == var.kafka_partitions
    error_message = "kafka_partitions: expected a whole number from 1 to 100."
  }
}

# The platform's task

variable "image" {
  description = "Image of the platform; null takes image_tag of the repository that is made here."
  type        = string
  default     = null

  validation {
    condition     = var.image == null || can(regex("(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9_.-]*)$", var.image)) && !can(regex(":latest$", coalesce(var.image, "-")))
    error_message = "image: expected an image with a tag or a digest, and not latest, which names another image every time."
  }
}

variable "image_tag" {
  description = "Tag of the image in the repository that is made here. Tags cannot be moved: a new image needs a new one."
  type        = string
  default     = "0.1.0"

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.image_tag)) && var.image_tag != "latest"
    error_message = "image_tag: expected a version such as 0.1.0; latest would name another image every time."
  }
}

variable "cpu_architecture" {
  description = "What the image was built for. ARM64 costs a fifth less."
  type        = string
  default     = "X86_64"

  validation {
    condition     = contains(["X86_64", "ARM64"], var.cpu_architecture)
    error_message = "cpu_architecture: expected X86_64 or ARM64."
  }
}

variable "task_cpu" {
  description = "CPU units of the task; 1024 are one virtual processor."
  type        = number
  default     = 2048

  validation {
    condition     = contains([2048, 4096], var.task_cpu)
    error_message = "task_cpu: expected 2048 or 4096."
  }
}

variable "task_memory" {
  description = "Memory of the task, MiB. Spark's driver takes 2 GiB of it, Dagster and its runs the rest."
  type        = number
  default     = 8192

  validation {
    condition     = contains(var.task_cpu == 2048 ? range(6144, 16385, 1024) : range(8192, 30721, 1024), var.task_memory)
    error_message = "task_memory: expected 6144 to 16384 with 2048 CPU units, 8192 to 30720 with 4096, in steps of 1024."
  }
}

variable "settings" {
  description = "Further USAGE_* settings of the platform, such as USAGE_SOURCE or USAGE_TIMEZONE; .env.example lists all."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.settings) : can(regex("^USAGE_[A-Z_]+$", name))])
    error_message = "settings: expected names that begin with USAGE_."
  }

  # With an unknown one no container would start.
  validation {
    condition     = length(setsubtract(keys(var.settings), concat(local.free_setting_names, local.own_setting_names, local.secret_setting_names))) == 0
    error_message = "settings: ${join(", ", setsubtract(keys(var.settings), concat(local.free_setting_names, local.own_setting_names, local.secret_setting_names)))}: no such setting; .env.example lists all."
  }

  validation {
    condition     = length(setintersection(keys(var.settings), local.own_setting_names)) == 0
    error_message = "settings: the lake, Kafka, Spark, Athena, EMR, the folders and the ports are set by this configuration or the image; leave them out."
  }

  validation {
    condition     = length(setintersection(keys(var.settings), local.secret_setting_names)) == 0
    error_message = "settings: addresses with a password or a token would stand in the state and in the task's description; store each in Secrets Manager and give its ARN in secret_settings."
  }
}

variable "secret_settings" {
  description = "USAGE_* settings that hold a secret, each with the ARN of the Secrets Manager secret that has its value (a key of a JSON secret as ARN:key::); only the task reads it."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.secret_settings), local.secret_setting_names)) == 0
    error_message = "secret_settings: expected ${join(", ", local.secret_setting_names)}."
  }

  validation {
    condition     = alltrue([for arn in values(var.secret_settings) : can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^:]+(:[^:]*:[^:]*:[^:]*)?$", arn))])
    error_message = "secret_settings: expected ARNs of secrets in Secrets Manager, such as arn:aws:secretsmanager:us-east-1:123456789012:secret:slack-AbCdEf."
  }
}

variable "outgoing_ports" {
  description = "Ports other than 443 that the task may reach in the Internet: of the mail server (587 or 465), of MQTT brokers (8883), of webhooks."
  type        = list(number)
  default     = []

  validation {
    condition     = alltrue([for port in var.outgoing_ports : port >= 1 && port <= 65535 && floor(port) == port && port != 25])
    error_message = "outgoing_ports: expected ports from 1 to 65535, and not 25, which AWS blocks: mail servers take 587 or 465."
  }

  validation {
    condition     = length(var.outgoing_ports) > 0 || length(setintersection(keys(var.secret_settings), ["USAGE_ALERT_MQTT_URL", "USAGE_ALERT_SMTP_URL", "USAGE_COLLECT_MQTT_URL"])) == 0
    error_message = "outgoing_ports: a mail server or an MQTT broker is in secret_settings, but the task only reaches port 443; give its port, such as [587] or [8883]."
  }
}

variable "database_instance_class" {
  description = "Class of the Postgres instance that keeps Dagster's runs."
  type        = string
  default     = "db.t4g.micro"

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.database_instance_class))
    error_message = "database_instance_class: expected a class such as db.t4g.micro."
  }
}

variable "database_multi_az" {
  description = "Keep a standby of that database in another zone."
  type        = bool
  default     = false
}

# Queries and work at scale

variable "athena_scan_limit_gib" {
  description = "What one query in Athena may read at most, GiB."
  type        = number
  default     = 10

  validation {
    condition     = var.athena_scan_limit_gib >= 1 && var.athena_scan_limit_gib <= 1024
    error_message = "athena_scan_limit_gib: expected 1 to 1024."
  }
}

variable "enable_emr_serverless" {
  description = "Make an EMR Serverless application for training and backfills at scale; idle it costs nothing."
  type        = bool
  default     = true
}

variable "emr_release_label" {
  description = "Release of EMR: emr-spark-8.0.0 has Spark 4.0 and Delta 4.0."
  type        = string
  default     = "emr-spark-8.0.0"

  validation {
    condition     = can(regex("^emr-(spark-)?[0-9]+\\.[0-9]+\\.[0-9]+$", var.emr_release_label))
    error_message = "emr_release_label: expected a release such as emr-spark-8.0.0 or emr-7.13.0."
  }
}

variable "emr_maximum_vcpu" {
  description = "Virtual processors that EMR may use at once."
  type        = number
  default     = 16

  validation {
    condition     = var.emr_maximum_vcpu >= 4 && var.emr_maximum_vcpu <= 400 && floor(var.emr_maximum_vcpu) == var.emr_maximum_vcpu
    error_message = "emr_maximum_vcpu: expected a whole number from 4 to 400."
  }
}

# People

variable "operator_principals" {
  description = "ARNs of IAM users and roles that may take the operators' role: pages, a shell, logs, restarts, Athena; empty: the role is not made."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.operator_principals : can(regex("^arn:aws:iam::[0-9]{12}:(user|role)/[A-Za-z0-9+=,.@_/-]+$", arn))])
    error_message = "operator_principals: expected ARNs of single users or roles, such as arn:aws:iam::123456789012:role/energy-team."
  }
}

variable "enable_bastion" {
  description = "Make a small host in the VPC. Session Manager reaches it and the task without any open port."
  type        = bool
  default     = false
}

variable "bastion_allowed_cidrs" {
  description = "Ranges that may open SSH to the bastion; empty: nobody, Session Manager only."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.bastion_allowed_cidrs : can(cidrnetmask(cidr)) && can(regex("/(1[6-9]|2[0-9]|3[0-2])$", cidr))])
    error_message = "bastion_allowed_cidrs: expected IPv4 ranges no wider than /16, such as 203.0.113.7/32."
  }

  validation {
    condition     = length(var.bastion_allowed_cidrs) == 0 || var.enable_bastion && var.bastion_public_key != null
    error_message = "bastion_allowed_cidrs: SSH needs enable_bastion = true and a bastion_public_key."
  }
}

variable "bastion_public_key" {
  description = "Public SSH key of who may log in to the bastion; the private one stays with its owner."
  type        = string
  default     = null

  validation {
    condition     = var.bastion_public_key == null || can(regex("^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/=]+", var.bastion_public_key))
    error_message = "bastion_public_key: expected a public key as in id_ed25519.pub."
  }
}

variable "log_retention_days" {
  description = "Days that logs in CloudWatch are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([7, 14, 30, 60, 90, 180, 365, 731, 1827], var.log_retention_days)
    error_message = "log_retention_days: expected 7, 14, 30, 60, 90, 180, 365, 731 or 1827."
  }
}

variable "alarm_email" {
  description = "Address that alarms are mailed to, once its owner has confirmed; null: to nobody."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_email == null || can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.alarm_email))
    error_message = "alarm_email: expected an address such as energy@example.org."
  }
}

variable "monthly_budget_usd" {
  description = "Mail alarm_email when the account's costs of a month reach 80 % of this, or will exceed it; null: no budget."
  type        = number
  default     = null

  validation {
    condition     = var.monthly_budget_usd == null || try(var.monthly_budget_usd > 0, false) && var.alarm_email != null
    error_message = "monthly_budget_usd: expected more than 0, and an alarm_email to tell."
  }
}
