"""Speeds, each beside the naive way in the same run: `make bench`."""
