"""What committed offsets belong to: the topic's id and the lake's, as their metadata.

Belongs here: the mark, and refusing the offsets of another lake. Not here: committing offsets
(`score`, `sink_progress`).

Offsets of another lake mean that this broker serves that lake: two platforms that share a consumer
group would take each other's events in turn, each for itself.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import Consumer

from usage_platform.adapters.kafka.topics import ANSWER_SECONDS, KafkaSettings, partitions_of
from usage_platform.adapters.lake.errors import LakeError


class OtherLakeError(LakeError):
    """The broker serves another lake; one line that says what to do."""


@dataclass(frozen=True)
class Work:
    """What a consumer group does for one lake; the words are for the message.

    Attributes:
        topic: The topic that it reads.
        group: Its name.
        done: What is done with the events, such as "scored".
    """

    topic: str
    group: str
    done: str


def offset_mark(topic_id: str, lake_id: str, division: str = "") -> str:
    """The metadata of a committed offset: what it belongs to.

    Args:
        topic_id: The topic's id.
        lake_id: The lake's id.
        division: The division of scorers that commits it (`score_division`); empty without any.
    """
    return f"{topic_id} {lake_id} {division}".rstrip()


@contextmanager
def reader_of_offsets(kafka: KafkaSettings, group: str) -> Generator[Consumer]:
    """A consumer that reads the committed offsets of a transactional group, and commits none.

    It reads them as of now: a consumer of committed events would wait for the transaction that a
    killed process left open, until that times out.
    """
    settings = {"enable.auto.commit": False, "isolation.level": "read_uncommitted"}
    client = Consumer(kafka.client(**{"group.id": group, **settings}))
    try:
        yield client
    finally:
        client.close()


def check_lake_of_stage(kafka: KafkaSettings, lake_id: str, work: Work) -> None:
    """The same as `check_lake` for a transactional group, before its open transaction is aborted.

    Raises:
        OtherLakeError: When another lake's platform has committed offsets in the group.
    """
    with reader_of_offsets(kafka, work.group) as client:
        check_lake(client, kafka, lake_id, work)


def check_lake(client: Consumer, kafka: KafkaSettings, lake_id: str, work: Work) -> None:
    """Make sure that no other lake's platform has committed offsets in a group.

    Args:
        client: A consumer in the group.
        kafka: The brokers.
        lake_id: The id of this platform's lake.
        work: What the group does.

    Raises:
        OtherLakeError: When one has: two would stop each other in turn.
    """
    partitions = partitions_of(client, kafka, work.topic)
    for one in client.committed(partitions, timeout=ANSWER_SECONDS) if partitions else []:
        marks = (one.metadata or "").split()
        if len(marks) > 1 and marks[1] != lake_id:
            raise OtherLakeError(
                f"the events of {work.topic} on Kafka at {kafka.bootstrap} are {work.done} for "
                f"another lake (its id in lake.json is {marks[1]}), so that nothing is "
                f"{work.done} for this one: use a broker of its own for each lake, or stop the "
                f"other platform and delete the consumer group {work.group}"
            )
