"""Spark: sessions, and statements that write the Delta tables."""
