"""Where the scorer goes on in the topic `usage`: its committed offsets, as far as they fit it.

Belongs here: which committed offsets are of the present topic, and what was deleted before it was
scored. Not here: committing them (`score`), the readings before them (`score_state`).

The scorer commits the topic's id and the lake's as the metadata of each offset. Offsets of a topic
that was created again say nothing of the new one, which is scored from its first event. Offsets of
another lake's scorer mean that this broker serves that lake.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, OFFSET_INVALID, Consumer, TopicPartition

from usage_platform.adapters.kafka.topics import SCORER_GROUP, USAGE, KafkaSettings, partitions_of
from usage_platform.adapters.lake.errors import LakeError

_TIMEOUT = 10.0


class OtherLakeError(LakeError):
    """The broker's events are scored for another lake; one line that says what to do."""


@dataclass(frozen=True)
class ScoringStart:
    """Where scoring goes on.

    Attributes:
        positions: Each partition with the offset to read next.
        notice: What is to be reported, in one line; empty if nothing is.
    """

    positions: list[TopicPartition]
    notice: str = ""


def offset_mark(topic_id: str, lake_id: str) -> str:
    """The metadata of the scorer's committed offsets: what they belong to."""
    return f"{topic_id} {lake_id}"


def check_lake(client: Consumer, kafka: KafkaSettings, lake_id: str) -> None:
    """Make sure that no other lake's scorer has scored this topic.

    Args:
        client: A consumer in the scorer's group.
        kafka: The brokers.
        lake_id: The id of this scorer's lake.

    Raises:
        OtherLakeError: When one has: two would stop each other in turn, and both publish.
    """
    partitions = partitions_of(client, kafka, USAGE)
    for one in client.committed(partitions, timeout=_TIMEOUT) if partitions else []:
        marks = (one.metadata or "").split()
        if len(marks) > 1 and marks[1] != lake_id:
            raise OtherLakeError(
                f"the events of Kafka at {kafka.bootstrap} are scored for another lake (its id in "
                f"lake.json is {marks[1]}), so that nothing is scored for this one: use a broker "
                f"of its own for each lake, or stop the other platform and delete the consumer "
                f"group {SCORER_GROUP} to score for this lake instead"
            )


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
    for one in client.committed([*partitions], timeout=_TIMEOUT):
        marks = (one.metadata or "").split()
        is_of_another = bool(marks) and marks[0] != topic_id
        if one.offset == OFFSET_INVALID or is_of_another:
            continue
        # Beyond the end: the topic was created again, in the time of a version without metadata.
        if one.offset <= client.get_watermark_offsets(one, timeout=_TIMEOUT)[1]:
            done[one.partition] = one.offset
    return done


def waiting_ends(
    client: Consumer, partitions: Sequence[TopicPartition], topic_id: str
) -> dict[int, int]:
    """The current end of each partition in which events wait; arguments as `scored_until`."""
    done = scored_until(client, partitions, topic_id)
    waiting: dict[int, int] = {}
    for one in partitions:
        low, high = client.get_watermark_offsets(one, timeout=_TIMEOUT)
        if high > max(done.get(one.partition, low), low):
            waiting[one.partition] = high
    return waiting


def unscored(client: Consumer, partitions: Sequence[TopicPartition], topic_id: str) -> int:
    """Events that wait in all partitions; arguments as for `scored_until`."""
    done = scored_until(client, partitions, topic_id)
    ends = {p.partition: client.get_watermark_offsets(p, timeout=_TIMEOUT) for p in partitions}
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
    for one in partitions:
        offset = done.get(one.partition, OFFSET_BEGINNING)
        low, _ = client.get_watermark_offsets(one, timeout=_TIMEOUT)
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
