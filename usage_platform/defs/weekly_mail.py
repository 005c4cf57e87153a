"""The weekly mail: the job that sends it and the sensor that starts the job.

Belongs here: when it is looked for mails that are due, and what a run reports. Not here: which ones
are due, and their content (`services`).

A sensor and no schedule: the times are in a file of the lake, which people change.
"""

from datetime import UTC, datetime

import dagster as dg

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.stores.weekly_record import WeeklyRecord
from usage_platform.core.alerts.routes import Routes
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.sink_turn import SinkBusyError
from usage_platform.services.week_summary import has_recent_hours
from usage_platform.services.weekly_mail import NO_READINGS, due_mails, send_mails
from usage_platform.wiring.platform import Platform
from usage_platform.wiring.weekly import mail_targets, week_of

_TURN = "weekly"


@dg.op
@fails_in_one_line
def send_weekly_mails(context: dg.OpExecutionContext, platform: PlatformResource) -> None:
    """Send the weekly mails that are due."""
    deployment, now = platform.deployment, datetime.now(UTC)
    record = WeeklyRecord(deployment.assets)
    routes = deployment.routes.read() or Routes()
    try:
        with deployment.sink_turn(_TURN).taken():
            due = _due(deployment, now)
            sinks = mail_targets(deployment, routes)
            done = send_mails(record, due, sinks, week_of(deployment, now), now)
    except SinkBusyError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None
    context.add_output_metadata({"sent": list(done.sent)})
    if done.failed:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in done.failed.items())
        raise dg.Failure(description=f"not sent, tried again in an hour: {reasons}")


@dg.job(
    description="Send the weekly mails that are due.",
    tags={"dagster/max_runtime": 1800},
)
def weekly_mail() -> None:
    """Send the weekly mails that are due."""
    send_weekly_mails()


@dg.sensor(
    job=weekly_mail,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts the job `weekly_mail` when a target of `assets/alerts.yaml` is due.",
)
def weekly_mail_sensor(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> dg.RunRequest | dg.SkipReason:
    """Start a run for the mails that are due, at most one an hour."""
    del context
    now = datetime.now(UTC)
    deployment = platform.deployment
    try:
        # Not while a run records what it sends: new targets are recorded here.
        with deployment.sink_turn(_TURN).taken():
            due = _due(deployment, now)
        if not due:
            return dg.SkipReason("no weekly mail is due")
        if not has_recent_hours(deployment.reader, now):
            return dg.SkipReason(f"the mail of {', '.join(due)} waits: {NO_READINGS}")
    except (LakeError, SinkBusyError) as error:
        return dg.SkipReason(str(error))
    names = ",".join(f"{name}@{at:%Y-%m-%dT%H:%M}" for name, at in sorted(due.items()))
    return dg.RunRequest(run_key=f"{names} {now:%Y-%m-%dT%H}")


def _due(deployment: Platform, now: datetime) -> dict[str, datetime]:
    routes = deployment.routes.read() or Routes()
    zone = deployment.settings.default_meter.zone
    return due_mails(WeeklyRecord(deployment.assets), routes, now, zone)
