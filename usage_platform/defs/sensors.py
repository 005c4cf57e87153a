"""Sensors: they keep playback, ingestion, scoring and training running.

Each tick decides from the state of the topics, checkpoints and models; no cursor is kept.
`anomaly_stream` scores within its tick, and `micro_batch_sensor` waits for events within its own,
under deadlines well below Dagster's 60 seconds: a tick that finds nothing costs more than a wait.
"""

import math
import time
from itertools import takewhile

import dagster as dg

from usage_platform.adapters.kafka.topics import ensure_topics
from usage_platform.core.time.waiting import seconds_left
from usage_platform.defs.anomaly_assets import tick_metadata
from usage_platform.defs.failures import STAGE_ERRORS, WAITED_FOR, error_line, skip_reason, skipped
from usage_platform.defs.idle_ticks import nothing_to_do
from usage_platform.defs.jobs import micro_batch, playback, retrain
from usage_platform.defs.killed_runs import fail_killed_runs
from usage_platform.defs.resources import PlatformResource
from usage_platform.defs.run_requests import job_in_flight
from usage_platform.services.awaited_backlog import awaited_backlog
from usage_platform.services.divided_scorers import DividedScorers
from usage_platform.services.due_models import due_models
from usage_platform.services.kept_client import KeptClient
from usage_platform.services.score_result import TickResult
from usage_platform.services.score_tick import score_waiting
from usage_platform.wiring.groups import silence_rule

_RUNNING = dg.DefaultSensorStatus.RUNNING
_SCORING_SECONDS = 45.0
"""The daemon begins the next tick up to 5 s after this one; Dagster gives up a tick after 60 s."""
_AWAITED_SECONDS = 30.0
_FIRST_WAIT_SECONDS = 10.0
_LONGEST_WAIT_SECONDS = 300.0
WORKED_SECONDS = 30.0
"""A run that lives on had worked when it lived so long: what ended it says nothing of the next."""


def _waits_after_failures(
    context: dg.SensorEvaluationContext, job_name: str, worked_after: float
) -> str | None:
    """Why a job that failed, and failed again, is not started yet: 10 s, 20 s, 40 s, ... 5 min.

    Runs that lived for `worked_after` seconds do not count as failed.
    """

    def counts(record: dg.RunRecord) -> bool:
        lived = (record.end_time or 0.0) - (record.start_time or 0.0)
        return record.dagster_run.status == dg.DagsterRunStatus.FAILURE and lived < worked_after

    records = context.instance.get_run_records(dg.RunsFilter(job_name=job_name), limit=8)
    failed = list(takewhile(counts, records))
    if not failed:
        return None
    wait = min(_FIRST_WAIT_SECONDS * 2.0 ** (len(failed) - 1), _LONGEST_WAIT_SECONDS)
    left = seconds_left((failed[0].end_time or 0.0) + wait, time.time(), wait)
    if not left:
        return None
    return f"the last {len(failed)} runs failed; the next one starts in {left:.0f} s"


def not_now(
    context: dg.SensorEvaluationContext, job_name: str, worked_after: float = math.inf
) -> str | None:
    """Why a job is not to be started now: it runs already, or it has just failed."""
    running = job_in_flight(context.instance, job_name)
    return running or _waits_after_failures(context, job_name, worked_after)


def _is_stopped(context: dg.SensorEvaluationContext) -> bool:
    """Whether a person has stopped the sensor; a stopped one can still be tried out."""
    return any(
        state.instigator_name == context.sensor_name and state.status.value == "STOPPED"
        for state in context.instance.all_instigator_state()
    )


@dg.sensor(
    job=playback,
    minimum_interval_seconds=15,
    default_status=_RUNNING,
    description="Keeps one playback alive until the source is exhausted.",
)
def playback_sensor(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> dg.RunRequest | dg.SkipReason:
    """Keep one playback alive until the source is exhausted."""
    if reason := not_now(context, playback.name, WORKED_SECONDS):
        return dg.SkipReason(reason)
    deployment = platform.deployment
    try:
        if deployment.playback_plan().is_exhausted(deployment.kafka):
            return nothing_to_do("the source is exhausted: all of it is on the topic")
        # Of a topic that is missing nothing was played.
        ensure_topics(deployment.kafka)
    except WAITED_FOR as error:
        return dg.SkipReason(error_line(error))
    return dg.RunRequest()


@dg.sensor(
    job=micro_batch,
    minimum_interval_seconds=5,
    default_status=_RUNNING,
    description="Starts the ingestion as soon as the topics have a backlog and none is in flight; "
    "it continues while events arrive.",
)
def micro_batch_sensor(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> dg.RunRequest | dg.SkipReason:
    """Start the ingestion as soon as the topics have a backlog and none is in flight.

    Waits for 30 seconds for events. The run continues while they arrive. Without a run key: Dagster
    never starts a second run with the key of a failed one. Runs of killed shells are ended first,
    whose pool it would wait for.
    """
    for run_id in fail_killed_runs(context.instance):
        context.log.warning(f"run {run_id[:8]}: its process was killed; its slots are free again")
    if reason := not_now(context, micro_batch.name):
        return dg.SkipReason(reason)
    deployment, was_stopped = platform.deployment, _is_stopped(context)
    try:
        waiting = awaited_backlog(deployment.lake, deployment.kafka, _AWAITED_SECONDS)
    except WAITED_FOR as error:
        return dg.SkipReason(error_line(error))
    if not any(waiting.values()):
        return dg.SkipReason("nothing waits on the topics")
    # While it waited, a person may have started a run or stopped the sensor.
    if reason := not_now(context, micro_batch.name):
        return dg.SkipReason(reason)
    if _is_stopped(context) and not was_stopped:
        return dg.SkipReason("the sensor was stopped while it waited for events")
    context.log.info(", ".join(f"{topic}: {lag:,} events wait" for topic, lag in waiting.items()))
    return dg.RunRequest(
        run_config={"ops": {"streams_into_lake": {"config": {"continuous": True}}}}
    )


@dg.sensor(
    job=retrain,
    minimum_interval_seconds=15,
    default_status=_RUNNING,
    description="Trains the weekly models as soon as the readings allow them.",
)
def model_sensor(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> dg.RunRequest | dg.SkipReason:
    """Train the weekly models as soon as the readings allow them.

    The first one has no history and scores by rules; each Monday in the readings' local time gives
    another one, so that a history is scored as it would have been live.
    """
    deployment = platform.deployment
    if reason := not_now(context, retrain.name):
        return dg.SkipReason(reason)
    try:
        days = due_models(deployment.reader, deployment.models, deployment.settings.timezone)
    except WAITED_FOR as error:
        return dg.SkipReason(error_line(error))
    if not days:
        return dg.SkipReason("every model that the readings allow is there")
    context.log.info(f"{len(days)} models are due, the newest with readings until {days[-1]}")
    return dg.RunRequest(run_config={"ops": {"slot_forests": {"config": {"due": True}}}})


_warm_scorers: KeptClient[DividedScorers] = KeptClient(DividedScorers)


@dg.sensor(
    asset_selection=dg.AssetSelection.assets("anomaly"),
    description="Scores new events on `usage` and publishes anomalies to `anomaly`, exactly once.",
    minimum_interval_seconds=5,
    default_status=_RUNNING,
)
def anomaly_stream(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> dg.SensorResult | dg.SkipReason:
    """Score new events on `usage` and publish anomalies to `anomaly`, exactly once.

    Waits for events for 45 seconds; anomalies and offsets are committed in one Kafka transaction.
    Several scorers divide the topic's partitions, where it has several (`USAGE_SCORERS`).
    Then publishes which meters have become silent.
    Reports a materialization of `anomaly` for each tick that consumed events.
    """
    deployment = platform.deployment
    try:
        notice = deployment.meters_notice()
        if not deployment.models.manifests():
            reason = "no model yet: events wait on the topic until there is one"
            return skip_reason(reason, notice)
        ensure_topics(deployment.kafka)
        most = deployment.scorers
        with _warm_scorers.borrowed(deployment.kafka, deployment.reader, most) as scorers:
            result = score_waiting(
                scorers,
                deployment.kafka,
                deployment.models,
                deployment.timeline,
                deployment.registry(),
                _SCORING_SECONDS,
                listen=True,
                silence=silence_rule(deployment),
            )
    except STAGE_ERRORS as error:
        return skipped(error)
    if notice:
        context.log.warning(notice)
    if result.silent:
        context.log.warning(f"{result.silent:,} meters have become silent")
    if result.notice:
        context.log.warning(result.notice)
    if not result.events:
        return skip_reason(_why_nothing(result), notice)
    context.log.info(f"{result.scored:,} readings scored, {result.anomalies:,} anomalies")
    told = dg.AssetMaterialization("anomaly", metadata=tick_metadata(result))
    return dg.SensorResult(asset_events=[told])


def _why_nothing(result: TickResult) -> str:
    if result.notice:
        return result.notice
    if result.silent:
        return f"no new events; {result.silent:,} meters have become silent"
    if result.waits_for is None:
        return "no new events"
    return f"the readings from {result.waits_for:%Y-%m-%d} on wait for a model of their time"
