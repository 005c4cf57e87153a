"""Anomalies and episodes: their messages, rows and what is published of them."""
