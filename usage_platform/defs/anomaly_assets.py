"""Anomalies: the topic that the streaming sensor writes, and the Delta table filled from it."""

import time
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta

import dagster as dg
from confluent_kafka import KafkaError, KafkaException

from usage_platform.adapters.anomaly_table import merge_anomalies
from usage_platform.adapters.kafka_topics import KafkaUnreachableError, ensure_topics
from usage_platform.adapters.lake_tables import ANOMALIES, READINGS, create_tables
from usage_platform.adapters.scoring import Scorer, TickResult
from usage_platform.core.anomalies import find_anomalies
from usage_platform.core.model import Manifest
from usage_platform.defs.lake_assets import WRITER_POOL
from usage_platform.defs.metadata import OWNERS, instant
from usage_platform.defs.partitions import DAILY, days_of
from usage_platform.defs.resources import PlatformResource
from usage_platform.deployment import Deployment

_RUN_SECONDS = 600.0
_TRIES = 5
_CHUNK = timedelta(days=90)


def tick_metadata(result: TickResult) -> dict[str, dg.MetadataValue | int | str]:
    """What a scoring tick did, as metadata of the asset `anomaly`."""
    return {
        "events": result.events,
        "scored": result.scored,
        "learning": result.learning,
        "thin": result.thin,
        "rejected": result.rejected,
        "anomalies": result.anomalies,
        "lag_events": result.lag,
        "event_time": instant(result.newest),
        "model_versions": ", ".join(sorted(result.versions)) or "-",
    }


@dg.asset(group_name="stream", kinds={"kafka"}, owners=OWNERS, deps=["usage", "slot_forests"])
def anomaly(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult:
    """The topic `anomaly`: the odd readings, told once each, as they come.

    The sensor `anomaly_stream` keeps it current and reports each of its ticks here. Materializing
    it by hand scores what waits on `usage` now, in place of the sensor's next tick.
    """
    deployment = platform.deployment
    manifests = deployment.models.manifests()
    if not manifests:
        raise dg.Failure(
            description="no model yet: materialize slot_forests first", allow_retries=False
        )
    try:
        ensure_topics(deployment.kafka)
        result = _tick_unless_fenced(deployment, manifests)
    except (KafkaUnreachableError, KafkaException) as error:
        raise dg.Failure(description=str(error)) from None
    context.log.info(f"{result.scored:,} readings scored, {result.anomalies:,} anomalies")
    return dg.MaterializeResult(metadata=tick_metadata(result))


def _tick_unless_fenced(deployment: Deployment, manifests: Sequence[Manifest]) -> TickResult:
    """One tick; when the sensor's scorer takes over in between, another one for what is left."""
    for left in reversed(range(_TRIES)):
        try:
            with closing(Scorer(deployment.kafka, deployment.models)) as scorer:
                return scorer.tick(manifests, deployment.registry(), _RUN_SECONDS, listen=False)
        except KafkaException as error:
            if error.args[0].code() != KafkaError._FENCED or not left:
                raise
    raise AssertionError("the last try returns or raises")


@dg.asset(
    group_name="lake",
    kinds={"delta", "spark"},
    owners=OWNERS,
    deps=["anomaly", "readings"],
    partitions_def=DAILY,
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool=WRITER_POOL,
)
def anomalies(
    context: dg.AssetExecutionContext, platform: PlatformResource
) -> dg.MaterializeResult:
    """Every anomaly, by day: filled from the topic by the micro-batch.

    Materializing days scores their `readings` again, each with the model that judges its time, and
    adds what is missing; an anomaly that is there already has the same id and stays as it is.
    """
    deployment = platform.deployment
    first, last = days_of(context)
    manifests = deployment.models.manifests()
    started = time.monotonic()
    before = deployment.reader.state(ANOMALIES)
    scored = found = 0
    with deployment.spark() as spark:
        create_tables(spark, deployment.lake)
        day = first
        while day <= last:
            until = min(day + _CHUNK, last)
            rows = deployment.reader.rows(READINGS, ["meter", "event_time", "value"], day, until)
            result = find_anomalies(rows, manifests, deployment.models.load)
            merge_anomalies(spark, deployment.lake, result.anomalies)
            scored, found = scored + result.scored, found + len(result.anomalies)
            context.log.info(f"{day} to {until}: {len(result.anomalies):,} anomalies")
            day = until + timedelta(days=1)
    state = deployment.reader.state(ANOMALIES)
    return dg.MaterializeResult(
        metadata={
            "scored": scored,
            "found": found,
            "added": state.rows - before.rows,
            "dagster/row_count": state.rows,
            "table_version": state.version,
            "seconds": round(time.monotonic() - started, 2),
        }
    )
