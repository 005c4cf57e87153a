"""Dagster only: one concept a file, thin glue over the services.

Assets by stage of the flow, checks, jobs, schedules, sensors. `usage_platform.definitions` finds
what a module here defines at its top. No rule of the platform is decided here.
"""

import warnings

# Dagster is pinned to one version: what is beta in it cannot change unnoticed.
warnings.filterwarnings(
    "ignore", r"Parameter `backfill_policy` of function `asset` is currently in beta"
)
