"""A meter-data platform: Kafka, Spark, Delta Lake and Isolation Forests, run by Dagster."""
