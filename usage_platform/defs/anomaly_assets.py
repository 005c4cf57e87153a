"""The topic `anomaly`, which the scoring sensor publishes to, and the Delta table `anomalies`."""

import time

import dagster as dg
from confluent_kafka import KafkaException

from usage_platform.adapters.kafka.topics import ANOMALY, KafkaUnreachableError, ensure_topics
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import ANOMALIES
from usage_platform.defs import freshness
from usage_platform.defs.asset_metadata import table_metadata
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.lake_assets import WRITER_POOL
from usage_platform.defs.metadata import OWNERS, instant, lag_metadata
from usage_platform.defs.partitions import DAILY, days_of
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.progress import Lag, lag_into_lake
from usage_platform.services.rescore import rescore_days
from usage_platform.services.score_result import TickResult
from usage_platform.services.score_tick import score_waiting_once
from usage_platform.wiring.platform import Platform

_RUN_SECONDS = 600.0


def tick_metadata(result: TickResult) -> dict[str, dg.MetadataValue | int | float | str]:
    """What a scoring tick did, as metadata of the asset `anomaly`."""
    notice = {"notice": result.notice} if result.notice else {}
    return {
        **notice,
        "events": result.events,
        "scored": result.scored,
        "learning": result.learning,
        "rejected": result.rejected,
        "anomalies": result.anomalies,
        "withdrawn": result.withdrawn,
        "episode_messages": result.episodes,
        **lag_metadata(Lag(result.lag, result.behind)),
        "event_time": instant(result.newest),
        "offsets": dg.MetadataValue.json({str(p): end for p, end in result.offsets.items()}),
        "seconds": round(result.seconds, 2),
        "waits_for_a_model_from": instant(result.waits_for),
        "model_versions": ", ".join(sorted(result.versions)) or "-",
    }


@dg.asset(
    group_name="stream",
    kinds={"kafka"},
    owners=OWNERS,
    deps=["usage", "slot_forests"],
    freshness_policy=freshness.STREAM,
    code_version="1",
)
@fails_in_one_line
def anomaly(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult:
    """The topics `anomaly` and `episode`: each anomaly published exactly once, and its episodes.

    The sensor `anomaly_stream` keeps them current and reports each of its ticks here. Materializing
    by hand scores the backlog on `usage` at once instead of at the sensor's next tick.
    """
    deployment = platform.deployment
    if not deployment.models.manifests():
        raise dg.Failure(
            description="no model yet: materialize slot_forests first", allow_retries=False
        )
    ensure_topics(deployment.kafka)
    result = score_waiting_once(
        deployment.kafka,
        deployment.reader,
        deployment.models,
        deployment.timeline,
        deployment.registry(),
        _RUN_SECONDS,
    )
    context.log.info(f"{result.scored:,} readings scored, {result.anomalies:,} anomalies")
    return dg.MaterializeResult(metadata=tick_metadata(result))


@dg.asset(
    group_name="lake",
    kinds={"delta", "spark"},
    owners=OWNERS,
    deps=["anomaly", "readings"],
    partitions_def=DAILY,
    backfill_policy=dg.BackfillPolicy.single_run(),
    freshness_policy=freshness.ANOMALIES,
    metadata=table_metadata(ANOMALIES),
    code_version="1",
    pool=WRITER_POOL,
)
@fails_in_one_line
def anomalies(
    context: dg.AssetExecutionContext, platform: PlatformResource
) -> dg.MaterializeResult:
    """Every anomaly, by UTC day: the micro-batch fills the table from the topic `anomaly`.

    Materializing days rescores their `readings`, each with the model promoted for its time,
    adds missing anomalies and withdraws those that no longer are; ids stay the same.
    """
    deployment = platform.deployment
    first, last = days_of(context)
    started = time.monotonic()
    before = deployment.reader.state(ANOMALIES)
    with deployment.lake_writer.turn() as turn:
        create_tables(deployment.lake)
        done = rescore_days(
            deployment.reader,
            deployment.timeline(),
            deployment.registry(),
            first,
            last,
            turn.checked(context.log.info),
        )
    state = deployment.reader.state(ANOMALIES)
    return dg.MaterializeResult(
        metadata={
            "scored": done.scored,
            "found": done.anomalies,
            "withdrawn": done.withdrawn,
            "added": state.rows - before.rows,
            "dagster/row_count": state.rows,
            "table_version": state.version,
            **lag_metadata(_lag_into_lake(deployment)),
            "seconds": round(time.monotonic() - started, 2),
        }
    )


def _lag_into_lake(deployment: Platform) -> Lag | None:
    """How far the table is behind its topic; its days are recomputed even if the lag is unknown."""
    try:
        return lag_into_lake(deployment.reader, deployment.kafka, ANOMALY, deployment.registry())
    except (KafkaUnreachableError, KafkaException):
        return None
