"""Progress and lag of the streams: ingestion by Spark's checkpoints, scoring by its group.

Belongs here: reading progress and lag, in offsets and in event time, without a JVM. Not here:
writing progress; only Spark and the scorer do.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from confluent_kafka import Message

from usage_platform.adapters.kafka.events import committed_reader, messages_between, raw_frame
from usage_platform.adapters.kafka.topic_ids import topic_id
from usage_platform.adapters.kafka.topics import (
    ANOMALY,
    SCORER_GROUP,
    USAGE,
    KafkaSettings,
    offset_ranges,
    partitions_of,
)
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import ANOMALIES, READINGS, Lake
from usage_platform.core.anomalies.message_parsing import anomalies_from_messages
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.validation import validate_events
from usage_platform.services.offset_marks import reader_of_offsets
from usage_platform.services.score_position import scored_until
from usage_platform.services.topic_progress import topic_progress

# The last event of a partition may be a reject, or of a meter that is behind the others.
_LAST_EVENTS = 100
_IN_STEP = pd.Timedelta(0)


@dataclass(frozen=True)
class Lag:
    """How far a stage is behind its topic.

    Attributes:
        events: Events that it has not consumed yet.
        event_time: From the newest event that it has consumed to the newest on the topic; 0 if it
            has consumed all, None if it has consumed none or the last events have no time.
    """

    events: int
    event_time: pd.Timedelta | None


def ingestion_lag(lake: Lake, kafka: KafkaSettings, topic: str) -> int:
    """Events on a topic that are not in the lake yet.

    Raises:
        EventsDeletedError: When Kafka deleted some of them, so that ingestion has stopped.
        KafkaUnreachableError: When no broker answers.
    """
    progress = topic_progress(lake, kafka, topic)
    progress.check_complete(topic)
    return backlog(progress.ends, progress.done)


def lag_into_lake(
    reader: LakeReader, kafka: KafkaSettings, topic: str, registry: MeterRegistry
) -> Lag:
    """How far the lake is behind the topic `usage` or `anomaly`.

    Raises:
        EventsDeletedError: When Kafka deleted events before they were ingested.
        KafkaUnreachableError: When no broker answers.
        KafkaException: When the broker is silent for too long.
    """
    progress = topic_progress(reader.lake, kafka, topic)
    progress.check_complete(topic)
    ends = progress.ends
    events = backlog(ends, progress.done)
    span = reader.span(READINGS if topic == USAGE else ANOMALIES, "event_time") if events else None
    if span is None:
        return Lag(events, None if events else _IN_STEP)
    newest = _newest_before(kafka, topic, {p: high for p, (_, high) in ends.items()}, registry)
    return Lag(events, _behind(span[1], newest))


def scoring_lag(kafka: KafkaSettings) -> int:
    """Events on `usage` that no scorer has committed yet.

    Raises:
        KafkaUnreachableError: When no broker answers.
    """
    return backlog(*_scored_offsets(kafka))


def lag_of_scoring(kafka: KafkaSettings, registry: MeterRegistry) -> Lag:
    """How far the scorer's commits are behind the topic `usage`.

    Raises:
        KafkaUnreachableError: When no broker answers.
        KafkaException: When the broker is silent for too long.
    """
    ends, done = _scored_offsets(kafka)
    events = backlog(ends, done)
    if not events or not done:
        return Lag(events, None if events else _IN_STEP)
    newest = _newest_before(kafka, USAGE, {p: high for p, (_, high) in ends.items()}, registry)
    return Lag(events, _behind(_newest_before(kafka, USAGE, done, registry), newest))


def _behind(done: pd.Timestamp | None, newest: pd.Timestamp | None) -> pd.Timedelta | None:
    if done is None or newest is None:
        return None
    # All events that wait may be late ones: these are behind in offsets only.
    return max(newest - done, _IN_STEP)


def _scored_offsets(kafka: KafkaSettings) -> tuple[dict[int, tuple[int, int]], dict[int, int]]:
    """First and end offset of each partition of `usage`, and the scorer's committed offsets."""
    with reader_of_offsets(kafka, SCORER_GROUP) as client:
        partitions = partitions_of(client, kafka, USAGE)
        ends = offset_ranges(client, partitions)
        now = topic_id(kafka, USAGE) or ""
        return ends, scored_until(client, partitions, now) if partitions else {}


def _newest_before(
    kafka: KafkaSettings, topic: str, ends: Mapping[int, int], registry: MeterRegistry
) -> pd.Timestamp | None:
    """The newest event time among the last events before some offsets; None if none has one."""
    with committed_reader(kafka, "usage-platform-lag") as client:
        ranges = offset_ranges(client, partitions_of(client, kafka, topic))
        lows = {partition: low for partition, (low, _) in ranges.items()}
        starts = {p: max(lows.get(p, 0), end - _LAST_EVENTS) for p, end in ends.items()}
        messages = list(messages_between(client, topic, starts, ends))
    newest = _event_times(topic, messages, registry).max()
    return None if pd.isna(newest) else newest


def _event_times(topic: str, messages: list[Message], registry: MeterRegistry) -> pd.Series:
    if topic == ANOMALY:
        return anomalies_from_messages(message.value() for message in messages)["event_time"]
    return validate_events(raw_frame(messages), registry).readings["event_time"]


def backlog(ends: Mapping[int, tuple[int, int]], done: Mapping[int, int]) -> int:
    """The number of offsets between the committed ones and the ends.

    Args:
        ends: First offset and end of each partition.
        done: Committed offset of each; a missing partition counts from its first offset.
    """
    return sum(
        max(high - max(done.get(partition, low), low), 0) for partition, (low, high) in ends.items()
    )
