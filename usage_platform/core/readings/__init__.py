"""Readings: what a source delivers, messages, validation, hourly averages, quality and audit."""
