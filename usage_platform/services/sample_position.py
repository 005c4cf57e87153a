"""Where averaging samples goes on in the topic `samples`, and from where its state is rebuilt.

Belongs here: the committed offsets with their marks, and rebuilding the state. Not here: committing
them (`average_samples`), the state itself (`core.samples.stage`).

The mark of an offset names the topic, the lake, the first offset that the state needs, and up to
when intervals were closed by time. The state is a function of the samples between the two offsets
and of that time, so that what was published is known again without reading `usage`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from confluent_kafka import OFFSET_INVALID, Consumer, Message, TopicPartition

from usage_platform.adapters.kafka.consuming import message_portions
from usage_platform.adapters.kafka.events import committed_reader, messages_between
from usage_platform.adapters.kafka.sample_messages import sample_message
from usage_platform.adapters.kafka.topics import (
    ANSWER_SECONDS,
    SAMPLES,
    KafkaSettings,
    offset_ranges,
)
from usage_platform.core.meter_descriptions.samples import SampleDescriptions
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.samples.parsing import parse_samples
from usage_platform.core.samples.stage import SampleStage, Taken
from usage_platform.services.offset_marks import offset_mark

_PORTION = 10_000
_MARKS = 4


@dataclass(frozen=True)
class SamplePosition:
    """How far samples were averaged.

    Attributes:
        consumed: One past the last consumed offset of each partition.
        starts: The first offset of each that the state needs.
        clock: Up to when intervals were closed by time, ns since 1970 UTC.
        notices: What is to be reported, a line each.
    """

    consumed: dict[int, int] = field(default_factory=dict[int, int])
    starts: dict[int, int] = field(default_factory=dict[int, int])
    clock: int = 0
    notices: tuple[str, ...] = ()

    def offsets(self, topic: str, lake: str) -> list[TopicPartition]:
        """The offsets to commit, with their marks.

        Args:
            topic: The topic's id.
            lake: The lake's id.
        """
        mark = offset_mark(topic, lake)
        return [
            TopicPartition(SAMPLES, p, at, f"{mark} {self.starts.get(p, at)} {self.clock}")
            for p, at in self.consumed.items()
        ]


def committed_position(
    client: Consumer, partitions: Sequence[TopicPartition], topic_id: str
) -> SamplePosition:
    """The committed position in the present topic; its beginning where there is none.

    Args:
        client: A consumer in the group.
        partitions: All partitions of the topic.
        topic_id: The topic's id: offsets of another one, which was created before, do not count.
    """
    consumed: dict[int, int] = {}
    starts: dict[int, int] = {}
    notices: list[str] = []
    clock = 0
    committed = client.committed([*partitions], timeout=ANSWER_SECONDS)
    # After the offsets: what is committed meanwhile must not look as if it were beyond the end.
    ranges = offset_ranges(client, partitions)
    for one in committed:
        low, high = ranges[one.partition]
        marks = (one.metadata or "").split()
        is_known = len(marks) == _MARKS and marks[0] == topic_id and one.offset <= high
        if one.offset == OFFSET_INVALID or not is_known:
            consumed[one.partition] = starts[one.partition] = low
            continue
        first, clock = int(marks[2]), max(clock, int(marks[3]))
        consumed[one.partition], starts[one.partition] = max(one.offset, low), max(first, low)
        if first < low:
            what = "before they were averaged" if one.offset < low else "that open intervals need"
            notices.append(
                f"Kafka's retention deleted samples of partition {one.partition} {what} (offsets "
                f"{first} to {low - 1}): readings of their time may be missing or be of the rest"
            )
    return SamplePosition(consumed, starts, clock, tuple(notices))


def rebuilt_stage(
    kafka: KafkaSettings,
    position: SamplePosition,
    descriptions: SampleDescriptions,
    registry: MeterRegistry,
) -> SampleStage:
    """The state at a position.

    Args:
        kafka: The brokers.
        position: The position.
        descriptions: How samples are read.
        registry: The meters.

    Raises:
        KafkaException: When the broker refuses, or is silent for too long.
    """
    stage = SampleStage()
    with committed_reader(kafka, "sample-readings-start") as client:
        messages = messages_between(client, SAMPLES, position.starts, position.consumed)
        for portion in message_portions(messages, _PORTION):
            take_messages(stage, portion, descriptions, registry)
            # What is due was published before; it is forgotten here with what is settled.
            stage.due_readings()
    stage.due_readings(position.clock)
    return stage


def take_messages(
    stage: SampleStage,
    messages: Sequence[Message],
    descriptions: SampleDescriptions,
    registry: MeterRegistry,
) -> Taken:
    """Add messages of the topic to the state, in their order."""
    parsed = parse_samples([sample_message(m) for m in messages], descriptions, registry)
    places = [(m.partition() or 0, m.offset() or 0) for m in messages]
    return stage.take(parsed, places, descriptions, registry)
