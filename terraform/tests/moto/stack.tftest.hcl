# The real provider against moto's server: real calls, rendered policies, creation and destruction.
# Its address comes from the environment. What moto lacks is answered here, each with its reason.

# No such API.
override_resource {
  target = aws_msk_configuration.this
  values = {
    arn             = "arn:aws:kafka:us-east-1:123456789012:configuration/usage-platform/11111111-2222-3333-4444-555555555555-1"
    latest_revision = 1
  }
}

# Stays in CREATING for ever.
override_resource {
  target = aws_msk_cluster.this
  values = {
    arn                        = "arn:aws:kafka:us-east-1:123456789012:cluster/usage-platform/11111111-2222-3333-4444-555555555555-1"
    bootstrap_brokers_sasl_iam = "b-1.usage.kafka.us-east-1.amazonaws.com:9098,b-2.usage.kafka.us-east-1.amazonaws.com:9098"
  }
}

# Refuses the release.
override_resource {
  target = aws_emrserverless_application.this
  values = {
    arn = "arn:aws:emr-serverless:us-east-1:123456789012:/applications/00a"
    id  = "00a"
  }
}

# Cannot remove a delete marker.
override_resource {
  target = aws_s3_bucket_versioning.lake
}

# Ignores the condition, so that everything is refused afterwards.
override_resource {
  target = aws_s3_bucket_policy.lake
}

# Works, but the provider asks for a minute until it believes it.
override_resource {
  target = aws_s3_bucket_lifecycle_configuration.lake
}

# Work, but the provider waits minutes for them to come and go; tests/plan has them with the real
# provider, tests/unit.tftest.hcl looks at each of their arguments.
override_resource {
  target = aws_db_instance.dagster
  values = {
    address = "usage-platform-dagster.b.us-east-1.rds.amazonaws.com"
    master_user_secret = [{
      kms_key_id    = "11111111-2222-3333-4444-555555555555"
      secret_arn    = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!db-1"
      secret_status = "active"
    }]
  }
}

override_resource {
  target = aws_ecs_service.platform
}

# Its secret is the database's.
override_resource {
  target = aws_secretsmanager_secret_rotation.dagster
}

variables {
  enable_bastion        = true
  bastion_allowed_cidrs = ["203.0.113.7/32"]
  bastion_public_key    = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPT1hsgdiVtSZJjKJG0ufwbHgg3shT0tPsvLJ4PVTY8T somebody"
  alarm_email           = "energy@example.org"
  protect_data          = false
  operator_principals   = ["arn:aws:iam::123456789012:user/energy"]
  outgoing_ports        = [587]
  settings              = { USAGE_ALERT_SNS_TOPIC = "arn:aws:sns:us-east-1:123456789012:meters" }
}

run "everything_is_made_and_taken_away" {
}

run "a_second_plan_changes_nothing" {
  command = plan
}
