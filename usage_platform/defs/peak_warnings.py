"""Peak warnings: the job that publishes them and the schedule that starts it.

Belongs here: when days are examined, and what a run reports. Not here: which days have a warning,
and publishing it (`services`).
"""

import time

import dagster as dg

from usage_platform.adapters.kafka.topics import ensure_topics
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.resources import PlatformResource
from usage_platform.defs.run_requests import last_tick_in_flight, run_with_readings
from usage_platform.services.peak_publisher import PeakFencedError
from usage_platform.services.peak_warnings import publish_peak_warnings
from usage_platform.services.usage_findings import present_of
from usage_platform.wiring.peaks import peak_inputs, peak_publisher, peak_records

_SHOWN_METERS = 20


@dg.op
@fails_in_one_line
def publish_warnings(context: dg.OpExecutionContext, platform: PlatformResource) -> None:
    """End the peak warnings that are over, and warn of the days that have begun."""
    deployment = platform.deployment
    as_of = present_of(deployment.reader, time.time_ns())
    if as_of is None:
        # The first micro-batch has made the table and not filled it yet.
        context.log.info("no readings yet")
        return
    ensure_topics(deployment.kafka)
    try:
        publisher = peak_publisher(deployment)
        inputs, records = peak_inputs(deployment), peak_records(deployment)
        done = publish_peak_warnings(inputs, publisher, records, as_of, context.log.info)
    except PeakFencedError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None
    context.add_output_metadata(
        {"examined": done.examined, "opened": done.opened, "closed": done.closed}
    )
    if done.failed:
        some = sorted(done.failed.items())[:_SHOWN_METERS]
        reasons = "; ".join(f"{name}: {reason}" for name, reason in some)
        raise dg.Failure(
            description=f"{len(done.failed):,} meters not examined today: {reasons}",
            allow_retries=False,
        )


@dg.job(
    description="Warn of days that may bring a new peak of the month.",
    tags={"dagster/max_runtime": 10_800},
)
def peak_warnings() -> None:
    """Warn of days that may bring a new peak of the month."""
    publish_warnings()


@dg.schedule(
    job=peak_warnings,
    cron_schedule="9 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Examine the days that have begun, and end the peak warnings that are over.",
)
def hourly_peak_warnings(
    context: dg.ScheduleEvaluationContext, platform: PlatformResource
) -> dg.RunRequest | dg.SkipReason:
    """Start a run if there are readings, and none of an hour before goes on.

    Two at once would publish with one transactional id: the later one would end the other's work.
    """
    if running := last_tick_in_flight(context, "hourly_peak_warnings"):
        return dg.SkipReason(running)
    return run_with_readings(platform, f"{context.scheduled_execution_time:%Y-%m-%dT%H}")
