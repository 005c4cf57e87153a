"""The two streams into the lake: an availableNow run of the topics `usage` and `anomaly`.

Belongs here: sources, checkpoints and triggers. Not here: writing a batch (`adapters.spark`).
"""

import ast
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from usage_platform.adapters.kafka.topics import ANOMALY, USAGE, KafkaSettings
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.spark.anomaly_table import write_anomaly_batch
from usage_platform.adapters.spark.usage_batch import write_usage_batch
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.messages import MOST_EVENT_BYTES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MAX_OFFSETS_PER_BATCH = 200_000
_RECORDS_OF_A_POLL = 100
WATERMARK = "1 hour"
GROUP_PREFIX = "usage-platform-lake"
"""Prefix of the consumer groups that Spark creates; brokers with ACLs must allow it."""

_JSON = f"CAST(substring(value, 1, {MOST_EVENT_BYTES}) AS STRING)"
_EVENT_TIME = f"try_to_timestamp(get_json_object({_JSON}, '$.ts'))"


@dataclass(frozen=True)
class DrainResult:
    """The result of one availableNow run of a stream.

    Attributes:
        events: Events read.
        batches: Batches with events.
        offsets: The topic's offsets after the run, by partition; empty when nothing was read.
        seconds: Duration of the run.
    """

    events: int
    batches: int
    offsets: dict[str, int]
    seconds: float


def drain_topics(
    spark: "SparkSession",
    lake: Lake,
    registry: MeterRegistry,
    kafka: KafkaSettings,
    progress: Callable[[str], None],
    own: str = "",
) -> dict[str, DrainResult]:
    """Ingest all events that wait on the topics into the lake.

    Args:
        spark: The session that may write to the lake.
        lake: The lake; missing tables are created.
        registry: The known meters.
        kafka: The brokers.
        progress: Called with a line after each stream.
        own: A folder among the checkpoints for streams with their own progress, which begin at the
            start of the topics; empty for the platform's streams.

    Returns:
        The results, by topic.
    """
    create_tables(lake)
    usage = drain_usage(spark, lake, registry, kafka, USAGE, own)
    progress(f"{USAGE}: {usage.events:,} events in {usage.seconds:.1f} s")
    anomalies = drain_anomalies(spark, lake, kafka, ANOMALY, own)
    progress(f"{ANOMALY}: {anomalies.events:,} events in {anomalies.seconds:.1f} s")
    return {USAGE: usage, ANOMALY: anomalies}


def drain_usage(
    spark: "SparkSession",
    lake: Lake,
    registry: MeterRegistry,
    kafka: KafkaSettings,
    topic: str,
    own: str = "",
) -> DrainResult:
    """Ingest all events that wait on the topic `usage` into the lake."""
    return _drain(spark, lake, kafka, topic, own, partial(write_usage_batch, lake, registry))


def drain_anomalies(
    spark: "SparkSession", lake: Lake, kafka: KafkaSettings, topic: str, own: str = ""
) -> DrainResult:
    """Ingest all messages that wait on the topic `anomaly` into the lake."""
    return _drain(spark, lake, kafka, topic, own, partial(write_anomaly_batch, lake))


def _drain(
    spark: "SparkSession",
    lake: Lake,
    kafka: KafkaSettings,
    topic: str,
    own: str,
    write: Callable[["DataFrame", int], None],
) -> DrainResult:
    from pyspark.sql.functions import expr

    started = time.monotonic()
    events = (
        spark.readStream.format("kafka")
        .options(**kafka.spark())
        .option("subscribe", topic)
        .option("startingOffsets", "earliest")
        .option("failOnDataLoss", "true")
        .option("kafka.isolation.level", "read_committed")
        .option("groupIdPrefix", GROUP_PREFIX)
        .option("maxOffsetsPerTrigger", MAX_OFFSETS_PER_BATCH)
        # All records of a poll are held, and each may have 1 MB; by default it is 500.
        .option("kafka.max.poll.records", _RECORDS_OF_A_POLL)
        .load()
        # Only for Spark's progress reports: without a stateful operator it drops nothing.
        .withColumn("event_time", expr(_EVENT_TIME))
        .withWatermark("event_time", WATERMARK)
    )
    query = (
        events.writeStream.queryName(f"{topic}_to_lake")
        .foreachBatch(write)
        .option("checkpointLocation", lake.spark_path(lake.checkpoint(topic, own)))
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    failure = query.exception()
    if failure is not None:
        raise failure
    sources = [p["sources"][0] for p in query.recentProgress]
    with_rows = [source for source in sources if source["numInputRows"]]
    return DrainResult(
        events=sum(source["numInputRows"] for source in with_rows),
        batches=len(with_rows),
        offsets=_offsets(with_rows[-1]["endOffset"])[topic] if with_rows else {},
        seconds=time.monotonic() - started,
    )


def _offsets(text: str) -> dict[str, dict[str, int]]:
    """Offsets by topic and partition, as a Python literal (Spark 4.0) or as JSON (later ones)."""
    return ast.literal_eval(text)
