"""The two streams into the lake: an availableNow run of the topics `usage` and `anomaly`.

Belongs here: sources, checkpoints and triggers. Not here: writing a batch (`adapters.spark`),
ingesting for as long as events arrive (`services.continuous_ingest`).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from usage_platform.adapters.kafka.topics import ANOMALY, USAGE, KafkaSettings
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.lake.write_turn import WriteTurn
from usage_platform.adapters.spark.anomaly_batch import write_anomaly_batch
from usage_platform.adapters.spark.executor_batch import write_usage_batch_on_executors
from usage_platform.adapters.spark.query_start import start_query
from usage_platform.adapters.spark.usage_batch import write_usage_batch
from usage_platform.core.limits import MOST_EVENT_BYTES
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.drain_counts import events_and_batches, offsets_of
from usage_platform.services.topic_progress import StreamStart, start_of_stream

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

MAX_OFFSETS_PER_BATCH = 200_000
"""What one process holds. On executors a batch has as much for each task that runs at once."""
_RECORDS_OF_A_POLL = 100
WATERMARK = "1 hour"
GROUP_PREFIX = "usage-platform-lake"
"""Prefix of the consumer groups that Spark creates; brokers with ACLs must allow it."""

WriteBatch: TypeAlias = "Callable[[DataFrame, int], None]"
"""Writes one batch of a stream, for Spark's `foreachBatch`."""

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
        batch_seconds: Sum of the batches' durations.
        notice: What a person should know of the run, in one line; empty if nothing.
    """

    events: int
    batches: int
    offsets: dict[str, int]
    seconds: float
    batch_seconds: float
    notice: str = ""


def drain_topics(
    spark: "SparkSession",
    lake: Lake,
    registry: MeterRegistry,
    kafka: KafkaSettings,
    progress: Callable[[str], None],
    own: str = "",
    turn: WriteTurn | None = None,
    tasks: int = 0,
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
        turn: The turn that fences the batches; None where they end with this process.
        tasks: How many tasks the executors of a cluster run at once, which then carry out the
            batches of `usage`; 0 for one process, which is faster on a few processors.

    Returns:
        The results, by topic.
    """
    create_tables(lake)
    results: dict[str, DrainResult] = {}
    for topic, write in batch_writers(lake, registry, tasks).items():
        results[topic] = _drain(spark, lake, kafka, topic, own, fenced(write, turn), tasks)
        seconds = results[topic].seconds
        progress(f"{topic}: {results[topic].events:,} events in {seconds:.1f} s")
        if results[topic].notice:
            progress(results[topic].notice)
    return results


def drain_usage(
    spark: "SparkSession",
    lake: Lake,
    registry: MeterRegistry,
    kafka: KafkaSettings,
    topic: str,
    tasks: int = 0,
) -> DrainResult:
    """Ingest all events that wait on a topic like `usage` into the lake, as `drain_topics` does."""
    return _drain(spark, lake, kafka, topic, "", batch_writers(lake, registry, tasks)[USAGE], tasks)


def drain_anomalies(
    spark: "SparkSession", lake: Lake, kafka: KafkaSettings, topic: str
) -> DrainResult:
    """Ingest all messages that wait on a topic like `anomaly` into the lake."""
    return _drain(spark, lake, kafka, topic, "", partial(write_anomaly_batch, lake))


def batch_writers(lake: Lake, registry: MeterRegistry, tasks: int = 0) -> dict[str, WriteBatch]:
    """What writes a batch of each topic, in the order in which the topics are drained."""
    write = write_usage_batch_on_executors if tasks else write_usage_batch
    return {
        USAGE: partial(write, lake, registry),
        ANOMALY: partial(write_anomaly_batch, lake),
    }


def fenced(write: WriteBatch, turn: WriteTurn | None) -> WriteBatch:
    """A writer of batches that writes in its turn only."""
    return write if turn is None else partial(turn.write, write)


def _drain(
    spark: "SparkSession",
    lake: Lake,
    kafka: KafkaSettings,
    topic: str,
    own: str,
    write: WriteBatch,
    tasks: int = 0,
) -> DrainResult:
    started = time.monotonic()
    start = start_of_stream(lake, kafka, topic, own)
    query = start_stream(spark, lake, kafka, topic, write, start, tasks, availableNow=True)
    query.awaitTermination()
    failure = query.exception()
    if failure is not None:
        raise failure
    reports = query.recentProgress
    with_rows = [p for p in reports if p["sources"][0]["numInputRows"]]
    events, batches = events_and_batches(reports, topic, start.begin, start.first_batch)
    return DrainResult(
        events=events,
        batches=batches,
        offsets=offsets_of(with_rows[-1]["sources"][0]["endOffset"], topic) if with_rows else {},
        seconds=time.monotonic() - started,
        batch_seconds=sum(map(duration_of, with_rows)),
        notice=start.notice,
    )


def start_stream(
    spark: "SparkSession",
    lake: Lake,
    kafka: KafkaSettings,
    topic: str,
    write: WriteBatch,
    start: StreamStart,
    tasks: int = 0,
    **trigger: Any,  # noqa: ANN401 - as Spark's `trigger` takes it
) -> "StreamingQuery":
    """Start the stream of a topic into the lake, from where its checkpoint stands.

    Args:
        spark: The session that may write to the lake.
        lake: The lake, with its tables.
        kafka: The brokers.
        topic: The topic.
        write: Writes a batch.
        start: Where it begins (`start_of_stream`).
        tasks: As for `drain_topics`: into at least so many parts a batch is split.
        trigger: As Spark's `DataStreamWriter.trigger` takes it.
    """
    from pyspark.sql.functions import expr

    events = (
        spark.readStream.format("kafka")
        .options(**kafka.spark())
        .option("subscribe", topic)
        .option("startingOffsets", "earliest")
        .option("failOnDataLoss", start.fail_on_data_loss)
        .option("kafka.isolation.level", "read_committed")
        .option("groupIdPrefix", GROUP_PREFIX)
        .option("maxOffsetsPerTrigger", MAX_OFFSETS_PER_BATCH * max(tasks, 1))
        .options(**({"minPartitions": tasks} if tasks else {}))
        # All records of a poll are held, and each may have 1 MB; by default it is 500.
        .option("kafka.max.poll.records", _RECORDS_OF_A_POLL)
        .load()
        # Only for Spark's progress reports: without a stateful operator it drops nothing.
        .withColumn("event_time", expr(_EVENT_TIME))
        .withWatermark("event_time", WATERMARK)
    )
    writer = (
        events.writeStream.queryName(f"{topic}_to_lake")
        .foreachBatch(write)
        .option("checkpointLocation", lake.spark_path(start.checkpoint))
    )
    return start_query(writer, **trigger)


def duration_of(progress: Mapping[str, Any]) -> float:
    """Seconds that a batch took, from Spark's progress report of it."""
    return progress["durationMs"]["triggerExecution"] / 1000
