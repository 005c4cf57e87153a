"""Apache Kafka: topics, security, events, and followers of topics."""
