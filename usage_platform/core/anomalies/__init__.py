"""Anomalies and episodes: rows, messages, summaries, and what the scorer publishes."""
