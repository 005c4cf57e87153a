"""One outside system each: Kafka, Spark, Delta tables, files, HTTP.

May import `usage_platform.core`, never Dagster. Heavy libraries (pyspark, matplotlib) are imported
inside the functions that need them, so that loading the definitions stays quick.
"""
