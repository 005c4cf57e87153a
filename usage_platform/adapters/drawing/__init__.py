"""Drawings as PNG, made with matplotlib."""
