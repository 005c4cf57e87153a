"""Schedules: training, checks, upkeep, costs, findings and reports."""

from zoneinfo import ZoneInfo

import dagster as dg

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY
from usage_platform.defs.day_checks import DAY_CHECKS
from usage_platform.defs.jobs import costs, findings, quality, report, retrain
from usage_platform.defs.partitions import MONTHLY, month_before, partition_keys
from usage_platform.defs.resources import PlatformResource
from usage_platform.defs.run_requests import last_tick_in_flight, run_with_readings
from usage_platform.defs.upkeep import upkeep
from usage_platform.services.usage_cost import months_due
from usage_platform.settings.settings import Settings

_SETTINGS = Settings.from_env()
_MONTHS_A_NIGHT = 12
_RUNNING = dg.DefaultScheduleStatus.RUNNING

weekly_retrain = dg.ScheduleDefinition(
    name="weekly_retrain",
    job=retrain,
    cron_schedule=_SETTINGS.retrain_cron,
    execution_timezone=_SETTINGS.timezone,
    default_status=_RUNNING,
    description="Train a new model each Monday night (`USAGE_RETRAIN_CRON`).",
)
weekly_full_quality = dg.ScheduleDefinition(
    name="weekly_full_quality",
    job=quality,
    cron_schedule="47 4 * * 0",
    execution_timezone="UTC",
    run_config={
        "ops": {check.node_def.name: {"config": {"all_days": True}} for check in DAY_CHECKS}
    },
    default_status=_RUNNING,
    description="Run all asset checks each Sunday, also on the days that have not changed.",
)
nightly_upkeep = dg.ScheduleDefinition(
    name="nightly_upkeep",
    job=upkeep,
    cron_schedule="41 2 * * *",
    execution_timezone=_SETTINGS.timezone,
    default_status=_RUNNING,
    description="Compact the lake's tables and trim Dagster's history, before the training.",
)


@dg.schedule(
    job=quality,
    cron_schedule="17 * * * *",
    execution_timezone="UTC",
    default_status=_RUNNING,
    description="Run all asset checks, 17 minutes past each hour, when few other jobs start.",
)
def hourly_quality(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Run all asset checks, unless those of an hour before go on."""
    if running := last_tick_in_flight(context, "hourly_quality"):
        return dg.SkipReason(running)
    return dg.RunRequest()


@dg.schedule(
    job=report,
    cron_schedule="23 5 1 * *",
    execution_timezone=_SETTINGS.timezone,
    default_status=_RUNNING,
    description="Build the report of the month that has ended.",
)
def monthly_report(
    context: dg.ScheduleEvaluationContext, platform: PlatformResource
) -> dg.RunRequest | dg.SkipReason:
    """Build the report of the month that has ended, if it has readings."""
    now = context.scheduled_execution_time.astimezone(ZoneInfo(_SETTINGS.timezone))
    key = month_before(now.date())
    try:
        span = platform.deployment.reader.span(USAGE_HOURLY, "start")
    except LakeError as error:
        return dg.SkipReason(str(error))
    if span is None or f"{span[1]:%Y-%m-%d}" < key:
        return dg.SkipReason(f"no readings since {key}")
    return dg.RunRequest(partition_key=key, run_key=key)


@dg.schedule(
    job=costs,
    cron_schedule="7 4 * * *",
    execution_timezone=_SETTINGS.timezone,
    default_status=_RUNNING,
    description="Compute the costs of the months whose readings or tariffs have changed.",
)
def nightly_costs(
    context: dg.ScheduleEvaluationContext, platform: PlatformResource
) -> list[dg.RunRequest] | dg.SkipReason:
    """Compute the months that are due, the latest first, at most a year a night.

    A month that one night has not come to is still due in the next one.
    """
    deployment = platform.deployment
    try:
        if not deployment.reader.exists(READINGS):
            return dg.SkipReason("no readings yet")
        inputs = deployment.cost_inputs()
        if not inputs.book.tariffs:
            return dg.SkipReason(f"no tariff in {deployment.tariffs.file}, and no USAGE_TARIFF")
        due = months_due(inputs, deployment.cost_record)
    except LakeError as error:
        return dg.SkipReason(str(error))
    if due and (running := last_tick_in_flight(context, "nightly_costs")):
        return dg.SkipReason(running)
    at = context.scheduled_execution_time
    begun = set(MONTHLY.get_partition_keys(at))
    keys = [key for key in partition_keys(month.first for month in due) if key in begun]
    return [
        dg.RunRequest(partition_key=key, run_key=f"{key} {at:%Y-%m-%d}")
        for key in keys[:_MONTHS_A_NIGHT]
    ] or dg.SkipReason("every month is computed")


@dg.schedule(
    job=findings,
    cron_schedule="33 4 * * *",
    execution_timezone=_SETTINGS.timezone,
    default_status=_RUNNING,
    description="Look for findings of all meters, after the costs.",
)
def nightly_findings(
    context: dg.ScheduleEvaluationContext, platform: PlatformResource
) -> dg.RunRequest | dg.SkipReason:
    """Look for findings if there are readings."""
    return run_with_readings(platform, f"{context.scheduled_execution_time:%Y-%m-%d}")
