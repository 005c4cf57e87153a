"""How far the readings of meters are in the sums of groups.

Belongs here: the position as the metadata of a committed offset. Not here: committing it
(`sum_groups`).

The position is a version of the table `readings`, and not an offset of a topic: the sums are a
function of the table, so that the sums of history, of late readings and of redriven ones come about
in the same way. It is committed as the metadata of partition 0 of `usage`, whose offset says
nothing.
"""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from confluent_kafka import Consumer, TopicPartition

from usage_platform.adapters.kafka.topic_ids import topic_id
from usage_platform.adapters.kafka.topics import ANSWER_SECONDS, SUMS_GROUP, USAGE, KafkaSettings
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.core.fleet.summed_groups import SummedGroup
from usage_platform.services.offset_marks import offset_mark, reader_of_offsets

_MARKS = 6
_NO_DAY = "-"


@dataclass(frozen=True)
class GroupPosition:
    """How far sums were published.

    Attributes:
        groups: What the sums are of, from `definition_of`.
        base: The version of `readings` of which all rows are in the sums; -1 for none.
        target: The version whose rows are being added; `base` if none are.
        done: The last UTC day of these that was added; None for none.
    """

    groups: str = ""
    base: int = -1
    target: int = -1
    done: date | None = None

    def offsets(self, topic: str, lake: str) -> list[TopicPartition]:
        """The offset to commit, with its mark.

        Args:
            topic: The topic's id.
            lake: The lake's id.
        """
        done = _NO_DAY if self.done is None else self.done.isoformat()
        mark = f"{offset_mark(topic, lake)} {self.groups} {self.base} {self.target} {done}"
        return [TopicPartition(USAGE, 0, 0, mark)]


def committed_position(client: Consumer, topic: str) -> GroupPosition:
    """The committed position; the beginning where there is none, or the topic is another one.

    Args:
        client: A consumer in the group.
        topic: The topic's id.
    """
    [found] = client.committed([TopicPartition(USAGE, 0)], timeout=ANSWER_SECONDS)
    marks = (found.metadata or "").split()
    if len(marks) != _MARKS or marks[0] != topic:
        return GroupPosition()
    done = None if marks[5] == _NO_DAY else date.fromisoformat(marks[5])
    return GroupPosition(marks[2], int(marks[3]), int(marks[4]), done)


def versions_behind(
    kafka: KafkaSettings, reader: LakeReader, groups: tuple[SummedGroup, ...]
) -> int:
    """How many versions of `readings` are not in the sums of groups yet; all for changed groups.

    Raises:
        KafkaException: When the broker refuses, or is silent for too long.
        LakeError: When the lake cannot be read.
    """
    with reader_of_offsets(kafka, SUMS_GROUP) as client:
        position = committed_position(client, topic_id(kafka, USAGE) or "")
    version = reader.state(READINGS).version
    return version - position.base if position.groups == definition_of(groups) else version + 1


def definition_of(groups: tuple[SummedGroup, ...]) -> str:
    """A short text that changes whenever a group, a member or a date of one does."""
    return sha256(repr(groups).encode()).hexdigest()[:16]
