"""Tariffs: prices over time, bills, and what energy costs and emits by the hour."""
