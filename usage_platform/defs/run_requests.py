"""What schedules and sensors ask for: a run, or none while there is nothing to do or one goes on.

Belongs here: the rules that several of them share. Not here: the schedules (`schedules`,
`peak_warnings`), the sensors.
"""

import dagster as dg

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.defs.resources import PlatformResource

_IN_FLIGHT = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
# Dagster writes it on the runs that a schedule starts.
_SCHEDULE = "dagster/schedule_name"


def run_with_readings(platform: PlatformResource, run_key: str) -> dg.RunRequest | dg.SkipReason:
    """A run with a key, once the lake has readings; until then why there is none."""
    try:
        if not platform.deployment.reader.exists(READINGS):
            return dg.SkipReason("no readings yet")
    except LakeError as error:
        return dg.SkipReason(str(error))
    return dg.RunRequest(run_key=run_key)


def job_in_flight(instance: dg.DagsterInstance, job: str) -> str | None:
    """Why a second run of a job would be one too many; None when none waits or goes on."""
    return _in_flight(instance, dg.RunsFilter(job_name=job, statuses=list(_IN_FLIGHT)))


def last_tick_in_flight(context: dg.ScheduleEvaluationContext, schedule: str) -> str | None:
    """Why a schedule starts nothing more: a run of an earlier tick waits or goes on.

    So runs that take longer than the schedule's interval do not pile up, and neither do the ticks
    that Dagster makes up for after it was down: of a partitioned job up to five at once.

    Args:
        context: The tick.
        schedule: The schedule's name; other runs of its job do not hold it back.
    """
    tags = {_SCHEDULE: schedule}
    return _in_flight(context.instance, dg.RunsFilter(tags=tags, statuses=list(_IN_FLIGHT)))


def _in_flight(instance: dg.DagsterInstance, filters: dg.RunsFilter) -> str | None:
    runs = instance.get_runs(filters, limit=1)
    return f"run {runs[0].run_id[:8]} is in flight" if runs else None
