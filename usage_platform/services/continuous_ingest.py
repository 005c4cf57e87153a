"""Ingestion for as long as events arrive: both streams stay open, a batch begins each second.

Belongs here: how long the streams stay open, and the sums of their batches. Not here: a stream
itself (`services.ingest`), writing a batch (`adapters.spark`).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from usage_platform.adapters.kafka.topic_ids import topic_id
from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.lake.write_turn import WriteTurn
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.drain_counts import offsets_of
from usage_platform.services.ingest import (
    DrainResult,
    batch_writers,
    drain_topics,
    duration_of,
    fenced,
    start_stream,
)
from usage_platform.services.topic_progress import StreamStart, start_of_stream

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

QUIET_SECONDS = 10.0
"""Without an event for so long, ingestion ends."""
LONGEST_SECONDS = 600.0
"""Ingestion ends after so long in any case, and the next run continues."""
REPORT_SECONDS = 10.0
"""Between two reports of what was ingested."""

_TRIGGER = "1 second"
_LOOK_SECONDS = 0.5
_LAST_BATCH_SECONDS = 300.0

Report = Callable[[Mapping[str, DrainResult]], None]


@dataclass
class _Stream:
    """A stream that is open, and the sum of its batches."""

    topic: str
    query: "StreamingQuery"
    start: StreamStart
    began: float = field(default_factory=time.monotonic)
    last_batch: int = -1
    events: int = 0
    batches: int = 0
    batch_seconds: float = 0.0
    offsets: dict[str, int] = field(default_factory=dict[str, int])

    def look(self) -> bool:
        """Add the batches that ended since the last look; returns whether there was one.

        Raises:
            Exception: The stream's failure.
        """
        # Before the failure: batches that ended before it count.
        found = [p for p in self.query.recentProgress if p["batchId"] > self.last_batch]
        with_rows = [p for p in found if p["sources"][0]["numInputRows"]]
        for progress in with_rows:
            self._add(progress)
        failure = self.query.exception()
        if failure is not None:
            raise failure
        return bool(with_rows)

    def _add(self, progress: Mapping[str, Any]) -> None:
        self.last_batch = progress["batchId"]
        self.events += progress["sources"][0]["numInputRows"]
        self.batches += 1
        self.batch_seconds += duration_of(progress)
        self.offsets = offsets_of(progress["sources"][0]["endOffset"], self.topic)

    def total(self) -> DrainResult:
        """All batches until now."""
        seconds = time.monotonic() - self.began
        return DrainResult(
            self.events,
            self.batches,
            self.offsets,
            seconds,
            self.batch_seconds,
            self.start.notice,
        )

    def stop(self) -> None:
        """Stop it where a batch has just ended, if one ends soon: what it writes is not wasted."""
        deadline = time.monotonic() + _LAST_BATCH_SECONDS
        before = self._newest_batch()
        while self.query.status["isTriggerActive"] and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS / 10)
            # Under a backlog the next batch begins at once.
            if self._newest_batch() != before:
                break
        self.query.stop()

    def _newest_batch(self) -> int | None:
        """The number of the last batch that Spark has reported."""
        progress = self.query.lastProgress
        return None if progress is None else progress["batchId"]


def ingest_while_events_arrive(
    spark: "SparkSession",
    lake: Lake,
    registry: MeterRegistry,
    kafka: KafkaSettings,
    turn: WriteTurn,
    report: Report,
    is_awaited: Callable[[], bool],
    tasks: int = 0,
) -> dict[str, DrainResult]:
    """Ingest what waits on the topics and what arrives, until nothing has arrived for a while.

    Neither a run nor a Python worker starts for a batch, so that an event is in the lake seconds
    after it was published. The checkpoints are those of `services.ingest.drain_topics`.

    Args:
        spark: The session that may write to the lake.
        lake: The lake; missing tables are created.
        registry: The known meters.
        kafka: The brokers.
        turn: The turn that fences the batches: the streams survive this process.
        report: Called every `REPORT_SECONDS` with the results until then, by topic, if something
            was ingested since the last call.
        is_awaited: Whether something else waits to write to the lake; it is asked every
            `REPORT_SECONDS`, and ends the ingestion.
        tasks: As for `drain_topics`.

    Returns:
        The results, by topic.
    """
    create_tables(lake)
    writers = batch_writers(lake, registry, tasks)
    starts = {topic: start_of_stream(lake, kafka, topic) for topic in writers}
    if not all(start.fail_on_data_loss for start in starts.values()):
        # One bounded run goes past what a person gave up, and no open stream past anything else.
        drain_topics(spark, lake, registry, kafka, lambda line: None, turn=turn, tasks=tasks)
        starts = {topic: start_of_stream(lake, kafka, topic) for topic in writers}
    streams: list[_Stream] = []

    def is_to_end() -> bool:
        return is_awaited() or any(topic_id(kafka, t) != starts[t].topic_id for t in starts)

    try:
        for topic, write in writers.items():
            turned, start = fenced(write, turn), starts[topic]
            places = (spark, lake, kafka, topic)
            query = start_stream(*places, turned, start, tasks, processingTime=_TRIGGER)
            streams.append(_Stream(topic, query, start))
        _follow(streams, report, is_to_end)
    finally:
        for stream in streams:
            stream.stop()
    for stream in streams:
        stream.look()
    return _results(streams)


def _follow(streams: list[_Stream], report: Report, is_awaited: Callable[[], bool]) -> None:
    began = newest = reported = time.monotonic()
    is_new = False
    while True:
        time.sleep(_LOOK_SECONDS)
        now = time.monotonic()
        looks = [stream.look() for stream in streams]
        has_ended = any(looks)
        is_new = is_new or has_ended
        if has_ended or _is_any_at_work(streams):
            newest = now
        if now - newest >= QUIET_SECONDS or now - began >= LONGEST_SECONDS:
            return
        if now - reported >= REPORT_SECONDS:
            reported = now
            if is_new:
                report(_results(streams))
                is_new = False
            if is_awaited():
                return


def _results(streams: list[_Stream]) -> dict[str, DrainResult]:
    return {stream.topic: stream.total() for stream in streams}


def _is_any_at_work(streams: list[_Stream]) -> bool:
    """Whether a batch with events is being written: a first one may take longer than the quiet."""
    return any(stream.query.status["isDataAvailable"] for stream in streams)
