"""The topic `anomaly`, which the scoring sensor publishes to, and the Delta table `anomalies`."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pandas as pd
from confluent_kafka import KafkaException

from usage_platform.adapters.kafka.topics import ANOMALY, KafkaUnreachableError, ensure_topics
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import ANOMALIES
from usage_platform.adapters.spark.anomaly_table import merge_rescored
from usage_platform.core.detector.schedule import next_model_from
from usage_platform.core.meters import MeterRegistry
from usage_platform.defs import freshness
from usage_platform.defs.asset_metadata import table_metadata
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.lake_assets import WRITER_POOL
from usage_platform.defs.metadata import OWNERS, instant, lag_metadata
from usage_platform.defs.partitions import DAILY, days_of
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.progress import Lag, lag_into_lake, lag_of_scoring
from usage_platform.services.rescore import rescored
from usage_platform.services.score import Scorer, ScorerFencedError
from usage_platform.services.score_result import TickResult
from usage_platform.wiring.platform import Deployment

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_RUN_SECONDS = 600.0
_TRIES = 5
_CHUNK = timedelta(days=90)


def tick_metadata(result: TickResult) -> dict[str, dg.MetadataValue | int | float | str]:
    """What a scoring tick did, as metadata of the asset `anomaly`."""
    return {
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
    result = _tick_unless_fenced(deployment)
    context.log.info(f"{result.scored:,} readings scored, {result.anomalies:,} anomalies")
    return dg.MaterializeResult(metadata=tick_metadata(result))


def _tick_unless_fenced(deployment: Deployment) -> TickResult:
    """One tick; when the sensor's scorer takes over in between, another one for what is left."""
    for left in reversed(range(_TRIES)):
        try:
            with closing(Scorer(deployment.kafka, deployment.reader)) as scorer:
                return score_what_waits(scorer, deployment, _RUN_SECONDS, listen=False)
        except ScorerFencedError:
            if not left:
                raise
    raise AssertionError("the last try returns or raises")


def score_what_waits(
    scorer: Scorer, deployment: Deployment, seconds: float, listen: bool
) -> TickResult:
    """One tick of a scorer with the models that are in force by now."""
    newest = deployment.models.candidates()[-1]
    horizon = next_model_from(newest.begin, deployment.settings.timezone)
    registry = deployment.registry()
    result = scorer.tick(deployment.judges(), registry, seconds, listen, horizon)
    if result.events:
        result.behind = _behind(deployment, registry) if result.lag else pd.Timedelta(0)
    return result


def _behind(deployment: Deployment, registry: MeterRegistry) -> pd.Timedelta | None:
    """How far behind scoring is; what was committed is told even if that cannot be asked."""
    try:
        return lag_of_scoring(deployment.kafka, registry).event_time
    except (KafkaUnreachableError, KafkaException):
        return None


@dataclass
class RescoredDays:
    """What scoring days again came to.

    Attributes:
        scored: Readings that a model judged by what it expects.
        found: Anomalies found, those that stood there already among them.
        withdrawn: Anomalies that stood there and were not found.
    """

    scored: int = 0
    found: int = 0
    withdrawn: int = 0


def rescore_days(
    deployment: Deployment,
    spark: "SparkSession",
    first: date,
    last: date,
    say: Callable[[str], None],
) -> RescoredDays:
    """Score the readings of some UTC days again, and bring `anomalies` to what that finds.

    Args:
        deployment: The services.
        spark: The session of the service that owns the lake's writes.
        first: The first day.
        last: The last day, inclusive.
        say: Told of each stretch of days that is done.
    """
    judges, registry = deployment.judges(), deployment.registry()
    total = RescoredDays()
    day = first
    while day <= last:
        until = min(day + _CHUNK, last)
        # Before the readings are read: what is told of later ones stays.
        at = pd.Timestamp.now(tz="UTC")
        result, gone = rescored(deployment.reader, judges, registry, day, until)
        changes = pd.concat([result.anomalies, gone], ignore_index=True)
        merge_rescored(spark, deployment.lake, changes, at)
        total.scored += result.scored
        total.found += len(result.anomalies)
        total.withdrawn += len(gone)
        say(f"{day} to {until}: {len(result.anomalies):,} anomalies")
        day = until + timedelta(days=1)
    return total


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

    Materializing days rescores their `readings`, each with the model that is in force at its time,
    adds missing anomalies and withdraws those that no longer are; ids stay the same.
    """
    deployment = platform.deployment
    first, last = days_of(context)
    started = time.monotonic()
    before = deployment.reader.state(ANOMALIES)
    with deployment.spark() as spark:
        create_tables(deployment.lake)
        done = rescore_days(deployment, spark, first, last, context.log.info)
    state = deployment.reader.state(ANOMALIES)
    return dg.MaterializeResult(
        metadata={
            "scored": done.scored,
            "found": done.found,
            "withdrawn": done.withdrawn,
            "added": state.rows - before.rows,
            "dagster/row_count": state.rows,
            "table_version": state.version,
            **lag_metadata(_lag_into_lake(deployment)),
            "seconds": round(time.monotonic() - started, 2),
        }
    )


def _lag_into_lake(deployment: Deployment) -> Lag | None:
    """How far the table is behind its topic; its days are mended even if that cannot be asked."""
    try:
        return lag_into_lake(deployment.reader, deployment.kafka, ANOMALY, deployment.registry())
    except (KafkaUnreachableError, KafkaException):
        return None
