locals {
  security_groups = merge(
    {
      platform = "The platform's task"
      kafka    = "Kafka's brokers"
      database = "Postgres of Dagster"
    },
    var.enable_emr_serverless ? { emr = "Workers of EMR Serverless" } : {},
    var.enable_bastion ? { bastion = "The bastion" } : {},
  )

  # Who talks to whom. Each line becomes a rule at both ends.
  flows = merge(
    {
      platform_to_kafka    = { from = "platform", to = "kafka", port = local.ports.kafka_iam }
      platform_to_database = { from = "platform", to = "database", port = local.ports.postgres }
    },
    var.enable_emr_serverless ? { emr_to_kafka = { from = "emr", to = "kafka", port = local.ports.kafka_iam } } : {},
    var.enable_bastion ? { bastion_to_kafka = { from = "bastion", to = "kafka", port = local.ports.kafka_iam } } : {},
  )

  # Who reaches AWS, registries and open data.
  to_the_internet = setintersection(["platform", "emr", "bastion"], keys(local.security_groups))
}

resource "aws_security_group" "this" {
  for_each = local.security_groups

  name        = "${var.global_prefix}-${each.key}"
  description = each.value
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.global_prefix}-${each.key}" }
}

resource "aws_vpc_security_group_ingress_rule" "flow" {
  for_each = local.flows

  description                  = "${each.value.from} to ${each.value.to}"
  security_group_id            = aws_security_group.this[each.value.to].id
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "flow" {
  for_each = local.flows

  description                  = "${each.value.from} to ${each.value.to}"
  security_group_id            = aws_security_group.this[each.value.from].id
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "https" {
  for_each = local.to_the_internet

  description       = "${each.key} to AWS and open data"
  security_group_id = aws_security_group.this[each.key].id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = local.ports.https
  to_port           = local.ports.https
}

resource "aws_vpc_security_group_egress_rule" "outgoing" {
  for_each = toset([for port in var.outgoing_ports : tostring(port) if port != local.ports.https])

  description       = "platform to mail servers and brokers on port ${each.key}"
  security_group_id = aws_security_group.this["platform"].id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
}

resource "aws_vpc_security_group_ingress_rule" "ssh" {
  for_each = toset(var.bastion_allowed_cidrs)

  description       = "SSH to the bastion"
  security_group_id = aws_security_group.this["bastion"].id
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = local.ports.ssh
  to_port           = local.ports.ssh
}
