"""Dagster only: one concept a file, thin glue over the adapters.

Assets by stage of the flow, checks, jobs, schedules, sensors. No rule of the platform is decided
here.
"""
