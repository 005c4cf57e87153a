# What the platform does on Kafka, by name. A test compares these names with those in its code.
locals {
  kafka_topics = [
    "alert_dead_letters",
    "anomaly",
    "episode",
    "sample_rejects",
    "samples",
    "usage",
    "usage_playback_lease",
    "usage_rejects",
  ]

  kafka_groups = [
    # Behind it the name of a sink.
    "alerts-*",
    "anomaly-scorer",
    "anomaly-scorer-start",
    "group-sums",
    "peak-warnings",
    "sample-readings",
    "sample-readings-start",
    "usage-platform-audit",
    "usage-platform-episodes",
    "usage-platform-lag",
    # Spark puts a name of its own behind it for each query.
    "usage-platform-lake*",
    "usage-platform-offsets",
    "usage-platform-page",
    "usage-platform-playback",
    "usage-platform-transactions",
    "usage-platform-arrivals",
    "usage-platform-watch",
    "usage_playback_lease",
  ]

  emr_topics = ["anomaly", "usage"]

  kafka_transactional_ids = ["anomaly-scorer*", "group-sums", "peak-warnings", "sample-readings"]

  # arn:aws:kafka:<region>:<account>:cluster/<name>/<uuid>, and the same with another kind and a name.
  kafka_arns = {
    for kind in ["topic", "group", "transactional-id"] : kind => replace(local.kafka_arn, ":cluster/", ":${kind}/")
  }
}

data "aws_iam_policy_document" "platform_kafka" {
  statement {
    sid = "Connect"
    actions = [
      "kafka-cluster:Connect",
      "kafka-cluster:DescribeCluster",
      "kafka-cluster:WriteDataIdempotently",
    ]
    resources = [local.kafka_arn]
  }

  statement {
    sid = "Topics"
    actions = [
      "kafka-cluster:CreateTopic",
      "kafka-cluster:DescribeTopicDynamicConfiguration",
      "kafka-cluster:AlterTopicDynamicConfiguration",
      "kafka-cluster:DescribeTopic",
      "kafka-cluster:ReadData",
      "kafka-cluster:WriteData",
    ]
    resources = [for name in local.kafka_topics : "${local.kafka_arns["topic"]}/${name}"]
  }

  statement {
    sid = "Groups"
    actions = [
      "kafka-cluster:AlterGroup",
      "kafka-cluster:DescribeGroup",
    ]
    resources = [for name in local.kafka_groups : "${local.kafka_arns["group"]}/${name}"]
  }

  statement {
    sid = "Transactions"
    actions = [
      "kafka-cluster:AlterTransactionalId",
      "kafka-cluster:DescribeTransactionalId",
    ]
    resources = [for name in local.kafka_transactional_ids : "${local.kafka_arns["transactional-id"]}/${name}"]
  }
}

# A job on EMR brings events into the lake: it reads, in the groups that Spark makes.
data "aws_iam_policy_document" "emr_kafka" {
  statement {
    sid       = "Connect"
    actions   = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster"]
    resources = [local.kafka_arn]
  }

  statement {
    sid       = "ReadTopics"
    actions   = ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"]
    resources = [for name in local.emr_topics : "${local.kafka_arns["topic"]}/${name}"]
  }

  statement {
    sid       = "Groups"
    actions   = ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"]
    resources = ["${local.kafka_arns["group"]}/usage-platform-lake*"]
  }
}

# A person on the bastion looks; what is written comes from the platform.
data "aws_iam_policy_document" "bastion_kafka" {
  statement {
    sid       = "Connect"
    actions   = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster"]
    resources = [local.kafka_arn]
  }

  statement {
    sid       = "ReadTopics"
    actions   = ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"]
    resources = [for name in local.kafka_topics : "${local.kafka_arns["topic"]}/${name}"]
  }

  statement {
    sid       = "OwnGroups"
    actions   = ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"]
    resources = ["${local.kafka_arns["group"]}/bastion-*"]
  }
}
