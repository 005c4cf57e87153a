"""Schedules: training each week, checks each hour."""

import dagster as dg

from usage_platform.defs.jobs import quality, retrain
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

SCHEDULES = (weekly_retrain, hourly_quality)
