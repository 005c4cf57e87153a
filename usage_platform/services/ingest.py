"""The two streams into the lake: the topics `usage` and `anomaly`, drained by availableNow.

Belongs here: sources, checkpoints and triggers. Not here: what is done with a batch.
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

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MAX_OFFSETS_PER_BATCH = 200_000
WATERMARK = "1 hour"
GROUP_PREFIX = "usage-platform-lake"
"""How the names of the consumer groups begin that Spark makes; brokers with ACLs allow them."""

_EVENT_TIME = "try_to_timestamp(get_json_object(CAST(value AS STRING), '$.ts'))"


@dataclass(frozen=True)
class DrainResult:
    """What one availableNow run of a stream did.

    Attributes:
        events: Events read.
        batches: Batches that held any.
        offsets: The topic's offsets after the run, by partition; empty when nothing was read.
        seconds: How long it took.
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
    """Bring everything that waits on the topics into the lake.

    Args:
        spark: The session that owns the lake's writes.
        lake: Where the tables are; those that are missing are made.
        registry: The known meters.
        kafka: The brokers.
        progress: Told what was done.
        own: A folder among the checkpoints, for whoever does not go on where the platform's
            streams stopped: from the topics' beginning the first time.

    Returns:
        What was done, by topic.
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
    """Bring everything that waits on the topic `usage` into the lake."""
    return _drain(spark, lake, kafka, topic, own, partial(write_usage_batch, lake, registry))


def drain_anomalies(
    spark: "SparkSession", lake: Lake, kafka: KafkaSettings, topic: str, own: str = ""
) -> DrainResult:
    """Bring everything that waits on the topic `anomaly` into the lake."""
    return _drain(spark, lake, kafka, topic, own, partial(write_anomaly_batch, lake))


def _drain(
    spark: "SparkSession",
    lake: Lake,
    kafka: KafkaSettings,
    topic: str,
    own: str,
    apply: Callable[["DataFrame", int], None],
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
        .load()
        # For Spark's own reports only: no stateful operator hangs on it, so it drops nothing.
        .withColumn("event_time", expr(_EVENT_TIME))
        .withWatermark("event_time", WATERMARK)
    )
    query = (
        events.writeStream.queryName(f"{topic}_to_lake")
        .foreachBatch(apply)
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


def _offsets(told: str) -> dict[str, dict[str, int]]:
    """Offsets by topic and partition; Spark 4.0 tells them as Python writes them, later as JSON."""
    return ast.literal_eval(told)
