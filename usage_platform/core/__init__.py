"""The pure core: plain functions on frames and values.

Imports only the standard library, numpy, pandas, pydantic, scikit-learn and holidays. No Dagster,
Spark, Kafka or I/O; the clock and randomness are arguments.
"""
