"""The micro-batch's tables: `readings`, `rejects` and `usage_hourly`."""

import time
from collections.abc import Iterator, Mapping
from datetime import timedelta

import dagster as dg

from usage_platform.adapters.drawing.plots import month_of_hours
from usage_platform.adapters.kafka.topics import ANOMALY, USAGE, ensure_topics
from usage_platform.adapters.lake.tables import (
    ANOMALIES,
    READINGS,
    REJECTS,
    USAGE_HOURLY,
    LakeTable,
)
from usage_platform.adapters.spark.commit_dates import dates_since
from usage_platform.cluster.request import DrainTopics, RecomputeHours
from usage_platform.defs import freshness
from usage_platform.defs.asset_metadata import table_metadata
from usage_platform.defs.emr_serverless import Compute, ComputeConfig, done_on_emr
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.metadata import OWNERS, lag_metadata, picture, rejects_table
from usage_platform.defs.partitions import DAILY, days_of, partition_keys
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.backfill import recompute_range
from usage_platform.services.ingest import DrainResult, drain_topics
from usage_platform.services.progress import lag_into_lake
from usage_platform.services.redrive import reject_summary
from usage_platform.wiring.platform import Platform

WRITER_POOL = "lake_writer"
_MONTH = timedelta(days=31)


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
    context: dg.AssetExecutionContext, config: ComputeConfig, platform: PlatformResource
) -> Iterator[dg.MaterializeResult]:
    """One availableNow run of the streams into the lake: the whole backlog of the topics.

    Merges readings and rejects by key and recomputes the hours that the batch touches, so that a
    repeated run changes nothing. Reports each changed day of `usage_hourly` and `anomalies` as a
    materialization of its partition.
    """
    deployment = platform.deployment
    kafka, lake, reader = deployment.kafka, deployment.lake, deployment.reader
    ensure_topics(kafka)
    registry = deployment.registry()
    versions = {t: reader.state(t).version for t in (USAGE_HOURLY, ANOMALIES)}
    if config.compute is Compute.emr_serverless:
        done = done_on_emr(context, deployment, DrainTopics())
        drained = {topic: DrainResult(**result) for topic, result in done.items()}
    else:
        with deployment.lake_writer.session() as spark:
            drained = drain_topics(spark, lake, registry, kafka, context.log.info)
    lag = lag_metadata(lag_into_lake(reader, kafka, USAGE, registry))
    anomalies_lag = lag_metadata(lag_into_lake(reader, kafka, ANOMALY, registry))
    about = {**_of_drain(drained[USAGE]), **lag}
    report_days(context, deployment, USAGE_HOURLY, versions[USAGE_HOURLY], about)
    about_anomalies = {**_of_drain(drained[ANOMALY]), **anomalies_lag}
    report_days(context, deployment, ANOMALIES, versions[ANOMALIES], about_anomalies)
    for table in (READINGS, REJECTS):
        state = reader.state(table)
        own = {"by_reason": rejects_table(reject_summary(reader))} if table is REJECTS else {}
        yield dg.MaterializeResult(
            asset_key=table.name,
            metadata={
                "dagster/row_count": state.rows,
                "table_version": state.version,
                "files": state.files,
                **about,
                **own,
            },
        )


def _of_drain(drained: DrainResult) -> dict[str, dg.MetadataValue | int | float | str]:
    return {
        "events": drained.events,
        "batches": drained.batches,
        "offsets": dg.MetadataValue.json(drained.offsets),
        "seconds": round(drained.seconds, 2),
    }


def report_days(
    context: dg.AssetExecutionContext,
    deployment: Platform,
    table: LakeTable,
    since_version: int,
    metadata: Mapping[str, dg.MetadataValue | int | float | str],
) -> None:
    """Report the days of a table that changed as materializations of its asset.

    Args:
        context: The run that changed them.
        deployment: The services.
        table: A table whose asset is partitioned by day.
        since_version: The table's version before the run; -1 before there was a table.
        metadata: Of each of these materializations.
    """
    state = deployment.reader.state(table)
    for key in partition_keys(dates_since(deployment.reader, table, max(since_version, 0))):
        context.log_event(
            dg.AssetMaterialization(
                table.name,
                partition=key,
                metadata={
                    "dagster/row_count": state.rows,
                    "table_version": state.version,
                    **metadata,
                },
            )
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
    shown = deployment.reader.rows(USAGE_HOURLY, None, max(first, last - _MONTH), last)
    metadata = {
        "hours": hours,
        "rows_before": before.rows,
        "dagster/row_count": state.rows,
        "table_version": state.version,
        "seconds": round(time.monotonic() - started, 2),
    }
    if not shown.empty:
        metadata["month_of_hours"] = picture(month_of_hours(shown, deployment.registry()))
    return dg.MaterializeResult(metadata=metadata)
