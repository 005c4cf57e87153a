"""Where the scorer goes on in the topic `usage`: its committed offsets, as far as they fit it.

Belongs here: which committed offsets are of the present topic, and what was deleted before it was
scored. Not here: committing them (`score`), what marks them (`offset_marks`), the readings before
them (`score_state`).

Offsets of a topic that was created again say nothing of the new one, which is scored from its first
event.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, OFFSET_INVALID, Consumer, TopicPartition

from usage_platform.adapters.kafka.topics import ANSWER_SECONDS, offset_ranges


@dataclass(frozen=True)
class ScoringStart:
    """Where scoring goes on.

    Attributes:
        positions: Each partition with the offset to read next.
        notice: What is to be reported, in one line; empty if nothing is.
    """

    positions: list[TopicPartition]
    notice: str = ""


def scored_until(
    client: Consumer, partitions: Sequence[TopicPartition], topic_id: str
) -> dict[int, int]:
    """By partition, the committed offset; missing where none is of the present topic.

    Args:
        client: A consumer in the scorer's group.
        partitions: All partitions of the topic.
        topic_id: The topic's id.
    """
    done: dict[int, int] = {}
    committed = client.committed([*partitions], timeout=ANSWER_SECONDS)
    # After the offsets: what is committed meanwhile must not look as if it were beyond the end.
    ranges = offset_ranges(client, partitions)
    for one in committed:
        marks = (one.metadata or "").split()
        is_of_another = bool(marks) and marks[0] != topic_id
        if one.offset == OFFSET_INVALID or is_of_another:
            continue
        # Beyond the end: the topic was created again, in the time of a version without metadata.
        if one.offset <= ranges[one.partition][1]:
            done[one.partition] = one.offset
    return done


def waiting_ends(
    client: Consumer, partitions: Sequence[TopicPartition], topic_id: str
) -> dict[int, int]:
    """The current end of each partition in which events wait; arguments as `scored_until`."""
    done = scored_until(client, partitions, topic_id)
    waiting: dict[int, int] = {}
    for partition, (low, high) in offset_ranges(client, partitions).items():
        if high > max(done.get(partition, low), low):
            waiting[partition] = high
    return waiting


def unscored(client: Consumer, partitions: Sequence[TopicPartition], topic_id: str) -> int:
    """Events that wait in all partitions; arguments as for `scored_until`."""
    done = scored_until(client, partitions, topic_id)
    ends = offset_ranges(client, partitions)
    return sum(max(high - max(done.get(p, low), low), 0) for p, (low, high) in ends.items())


def start_of_scoring(
    client: Consumer, partitions: Sequence[TopicPartition], topic_id: str
) -> ScoringStart:
    """Where scoring goes on in each partition; at the beginning where nothing was scored.

    Args:
        client: A consumer in the scorer's group.
        partitions: All partitions of the topic.
        topic_id: The topic's id.
    """
    done = scored_until(client, partitions, topic_id)
    positions: list[TopicPartition] = []
    deleted: list[str] = []
    ranges = offset_ranges(client, partitions)
    for one in partitions:
        offset = done.get(one.partition, OFFSET_BEGINNING)
        low, _ = ranges[one.partition]
        if 0 <= offset < low:
            deleted.append(f"{offset} to {low - 1} of partition {one.partition}")
            offset = low
        positions.append(TopicPartition(one.topic, one.partition, offset))
    if not deleted:
        return ScoringStart(positions)
    return ScoringStart(
        positions,
        f"Kafka's retention deleted offsets {', '.join(deleted)} before they were scored; scoring "
        "went on behind them: materialize the asset anomalies over their days, whose readings are "
        "in the lake if they were ingested",
    )
