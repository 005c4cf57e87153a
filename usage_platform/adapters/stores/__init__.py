"""Stores: models, labels, reviews and records as files in the lake's `assets/` and `models/`."""
