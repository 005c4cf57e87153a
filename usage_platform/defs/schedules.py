"""Schedules: training each week, checks each hour, upkeep each night."""

import dagster as dg

from usage_platform.defs.jobs import quality, retrain
from usage_platform.defs.upkeep import upkeep
from usage_platform.settings import Settings

_SETTINGS = Settings.from_env()
_RUNNING = dg.DefaultScheduleStatus.RUNNING

weekly_retrain = dg.ScheduleDefinition(
    name="weekly_retrain",
    job=retrain,
    cron_schedule=_SETTINGS.retrain_cron,
    execution_timezone=_SETTINGS.timezone,
    default_status=_RUNNING,
    description="Train a new model in the night from Sunday to Monday (`USAGE_RETRAIN_CRON`).",
)
hourly_quality = dg.ScheduleDefinition(
    name="hourly_quality",
    job=quality,
    cron_schedule="17 * * * *",
    execution_timezone="UTC",
    default_status=_RUNNING,
    description="Run all asset checks, past the full hour, when few other things begin.",
)
nightly_upkeep = dg.ScheduleDefinition(
    name="nightly_upkeep",
    job=upkeep,
    cron_schedule="41 2 * * *",
    execution_timezone=_SETTINGS.timezone,
    default_status=_RUNNING,
    description="Keep the lake's tables and Dagster's history small, before the training.",
)

SCHEDULES = (weekly_retrain, hourly_quality, nightly_upkeep)
