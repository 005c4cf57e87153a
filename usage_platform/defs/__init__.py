"""Dagster only: one concept a file, thin glue over the services.

Assets by stage of the flow, checks, jobs, schedules, sensors. `usage_platform.definitions` finds
what a module here defines at its top. No rule of the platform is decided here.
"""

import warnings

# Dagster is pinned to one version: what it calls beta or preview cannot change unnoticed.
for _announcement in (
    r"Parameter `backfill_policy` of function `asset` is currently in beta",
    r"Function `load_definitions_from_(package_module|modules)` is currently in preview",
):
    warnings.filterwarnings("ignore", _announcement)
