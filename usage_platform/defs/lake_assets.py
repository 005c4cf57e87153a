"""The micro-batch's tables: `readings`, `rejects` and `usage_hourly`."""

import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import dagster as dg
from pydantic import Field

from usage_platform.adapters.drawing.plots import month_of_hours
from usage_platform.adapters.kafka.topics import ensure_topics
from usage_platform.adapters.lake.tables import READINGS, REJECTS, USAGE_HOURLY
from usage_platform.cluster.request import DrainTopics, RecomputeHours
from usage_platform.core.meters import MeterRegistry
from usage_platform.defs import freshness
from usage_platform.defs.asset_metadata import table_metadata
from usage_platform.defs.emr_serverless import Compute, ComputeConfig, done_on_emr
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.ingest_report import IngestReport
from usage_platform.defs.metadata import OWNERS, picture
from usage_platform.defs.partitions import DAILY, days_of
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.backfill import recompute_range
from usage_platform.services.continuous_ingest import (
    LONGEST_SECONDS,
    QUIET_SECONDS,
    ingest_while_events_arrive,
)
from usage_platform.services.ingest import DrainResult, drain_topics
from usage_platform.services.stray_episodes import reject_stray_episodes
from usage_platform.wiring.platform import Platform

WRITER_POOL = "lake_writer"
_MONTH = timedelta(days=31)
_LOOKED_AT = 100


class StreamsConfig(ComputeConfig):
    """Where the streams run, and for how long."""

    continuous: bool = Field(
        False,
        description="Keep ingesting while events arrive, on this machine: until nothing has "
        f"arrived for {QUIET_SECONDS:.0f} s, another run waits to write to the lake, or "
        f"{LONGEST_SECONDS / 60:.0f} minutes are over. By default a run ingests the backlog.",
    )


@dg.multi_asset(
    name="streams_into_lake",
    specs=[
        dg.AssetSpec(
            "readings",
            deps=["usage"],
            group_name="lake",
            kinds={"delta", "spark"},
            owners=OWNERS,
            freshness_policy=freshness.STREAM,
            metadata=table_metadata(READINGS),
            code_version="1",
            description="One row per reading: the newest event of each meter and interval. Delta "
            "table, keyed by (meter, event_time), partitioned by UTC day.",
        ),
        dg.AssetSpec(
            "rejects",
            deps=["usage"],
            group_name="lake",
            kinds={"delta", "spark"},
            owners=OWNERS,
            freshness_policy=freshness.STREAM,
            metadata=table_metadata(REJECTS),
            code_version="1",
            description="Every rejected event, in its original bytes, with a reason. Delta table, "
            "keyed by topic, partition, offset and broker time. `redriven_rejects` reprocesses "
            "chosen ones.",
        ),
    ],
    pool=WRITER_POOL,
)
@fails_in_one_line
def streams_into_lake(
    context: dg.AssetExecutionContext, config: StreamsConfig, platform: PlatformResource
) -> Iterator[dg.MaterializeResult]:
    """Ingest the topics into the lake: the whole backlog, or for as long as events arrive.

    Merges readings and rejects by key and recomputes the hours that a batch touches, so that a
    repeated run changes nothing. Reports each changed day of `usage_hourly` and `anomalies` as a
    materialization of its partition.
    """
    deployment = platform.deployment
    kafka, lake = deployment.kafka, deployment.lake
    ensure_topics(kafka)
    registry = deployment.registry()
    if notice := deployment.meters_notice():
        context.log.warning(notice)
    report = IngestReport(context, deployment, registry)
    if config.compute is Compute.emr_serverless:
        done = done_on_emr(context, deployment, DrainTopics())
        drained = {topic: DrainResult(**result) for topic, result in done.items()}
    else:
        with deployment.lake_writer.streaming() as (spark, turn):
            if config.continuous:
                drained = ingest_while_events_arrive(
                    spark,
                    lake,
                    registry,
                    kafka,
                    turn,
                    report.report,
                    partial(is_to_end, context.instance, deployment, registry),
                    deployment.executor_tasks,
                )
            else:
                drained = drain_topics(
                    spark,
                    lake,
                    registry,
                    kafka,
                    context.log.info,
                    turn=turn,
                    tasks=deployment.executor_tasks,
                )
            reject_stray_episodes(lake, kafka)
    yield from report.results(drained)


def is_to_end(instance: dg.DagsterInstance, deployment: Platform, registry: MeterRegistry) -> bool:
    """Whether another run waits for this one to end, or the meters are other ones now.

    Args:
        instance: Knows the runs that wait.
        deployment: Knows the meters.
        registry: The meters of this run.

    Raises:
        LakeError: In one line, when no descriptions of people apply.
    """
    return is_awaited(instance, deployment) or deployment.registry() != registry


def is_awaited(instance: dg.DagsterInstance, deployment: Platform) -> bool:
    """Whether another run waits for this one to end: in Dagster's queue, or for the lake."""
    queued = dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED])
    pools = (run.run_op_concurrency for run in instance.get_runs(queued, limit=_LOOKED_AT))
    return deployment.lake_writer.is_awaited() or any(
        wanted and WRITER_POOL in (wanted.all_pools or ()) for wanted in pools
    )


@dg.asset(
    group_name="lake",
    kinds={"delta", "spark"},
    owners=OWNERS,
    deps=["readings"],
    partitions_def=DAILY,
    backfill_policy=dg.BackfillPolicy.single_run(),
    freshness_policy=freshness.STREAM,
    metadata=table_metadata(USAGE_HOURLY),
    code_version="1",
    pool=WRITER_POOL,
)
@fails_in_one_line
def usage_hourly(
    context: dg.AssetExecutionContext, config: ComputeConfig, platform: PlatformResource
) -> dg.MaterializeResult:
    """Hourly mean, minimum, maximum and energy of each meter, and whether the hour is complete.

    The micro-batch keeps the table current. Materializing days recomputes them from `readings`,
    also beside the live stream; rows that are correct do not change.
    """
    deployment = platform.deployment
    first, last = days_of(context)
    started = time.monotonic()
    before = deployment.reader.state(USAGE_HOURLY)
    lake, registry = deployment.lake, deployment.registry()
    if config.compute is Compute.emr_serverless:
        hours = done_on_emr(context, deployment, RecomputeHours(first=first, last=last))["hours"]
    else:
        with deployment.lake_writer.session() as spark:
            hours = recompute_range(spark, lake, registry, first, last, context.log.info)
    state = deployment.reader.state(USAGE_HOURLY)
    month = max(first, last - _MONTH), last
    # One meter is drawn, and the rows of all would not fit.
    drawn = deployment.reader.meters(USAGE_HOURLY, *month)[:1]
    metadata = {
        "hours": hours,
        "rows_before": before.rows,
        "dagster/row_count": state.rows,
        "table_version": state.version,
        "seconds": round(time.monotonic() - started, 2),
    }
    if drawn:
        shown = deployment.reader.rows(USAGE_HOURLY, None, *month, drawn)
        metadata["month_of_hours"] = picture(month_of_hours(shown, registry))
    return dg.MaterializeResult(metadata=metadata)
