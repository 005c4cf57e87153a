"""Wiring: builds clients and services from the settings, and does nothing else."""
