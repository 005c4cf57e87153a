"""How the partitions of `usage` are divided among scorers, and that one division holds at a time.

Belongs here: which partitions a scorer owns, beginning a division and joining it. Not here: scoring
(`score`), running several scorers (`divided_scorers`).

A division has a name of its own, which stands in the metadata of the offset of partition 0. Only
the holder of the first transactional id writes that offset. To begin a division is to

1. take over the first id, so that no other division can begin or has begun after the next step,
2. write the new name, in a transaction of that id,
3. take over all other ids that any division has had, so that none of its scorers can commit.

A scorer that joins takes over its id and then looks at the name. If that is not the name of its
division, it ends. If it is, the next division takes the id from it in step 3 (ADR 28).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from confluent_kafka import Consumer, TopicPartition

from usage_platform.adapters.kafka.topic_ids import topic_id
from usage_platform.adapters.kafka.topics import ANSWER_SECONDS, USAGE, KafkaSettings, offset_ranges
from usage_platform.services.offset_marks import offset_mark
from usage_platform.services.score_fencing import ScorerFencedError
from usage_platform.services.score_position import scored_until
from usage_platform.services.score_transaction import ScorerTransactions

_PLACE = TopicPartition(USAGE, 0)


@dataclass(frozen=True)
class Division:
    """How all partitions are divided.

    Attributes:
        name: A name that no other division has; empty where there has only been one scorer ever.
        scorers: The number of scorers.
        highest: The highest number of scorers that this or a former division has had.
    """

    name: str = ""
    scorers: int = 1
    highest: int = 1

    def __str__(self) -> str:
        return f"{self.name}/{self.scorers}/{self.highest}" if self.name else ""


@dataclass(frozen=True)
class Share:
    """The partitions of one scorer: those whose number leaves its own over the scorers' number.

    Attributes:
        number: The scorer's number, from 0 on.
        division: The division; one without a name is begun by scorer 0.
    """

    number: int = 0
    division: Division = Division()

    def __str__(self) -> str:
        return f"scorer {self.number + 1} of {self.division.scorers}"

    def owns(self, partition: int) -> bool:
        """Whether the scorer owns a partition."""
        return partition % self.division.scorers == self.number

    def of(self, partitions: Sequence[TopicPartition]) -> list[TopicPartition]:
        """Its own among all partitions of the topic."""
        return [one for one in partitions if self.owns(one.partition)]


WHOLE = Share()
"""All partitions, for the only scorer."""


def entered(
    share: Share,
    kafka: KafkaSettings,
    client: Consumer,
    transactions: ScorerTransactions,
    lake_id: str,
) -> Share:
    """Join the division of a share, or begin one if it has no name yet.

    Args:
        share: The scorer's share.
        kafka: The brokers.
        client: A consumer in the scorers' group.
        transactions: The scorer's, whose id has just been taken over.
        lake_id: The lake's id.

    Returns:
        The share of the division that holds now.

    Raises:
        ScorerFencedError: Another division has begun.
        ValueError: The division has no name, and the scorer is not the one that begins it.
    """
    if share.number and not share.division.name:
        raise ValueError(f"{share} would begin a division: expected scorer 1, which others join")
    former = recorded_division(client)
    if share.division.name:
        if former.name != share.division.name:
            raise ScorerFencedError
        return share
    scorers = share.division.scorers
    if scorers == 1 and not former.name:
        return WHOLE
    new = Division(uuid4().hex[:16], scorers, max(scorers, former.highest))
    _record(new, kafka, client, transactions, lake_id)
    for number in range(1, new.highest):
        ScorerTransactions(kafka, number).take_over()
    return Share(share.number, new)


def _record(
    division: Division,
    kafka: KafkaSettings,
    client: Consumer,
    transactions: ScorerTransactions,
    lake_id: str,
) -> None:
    """Write the division to the offset of partition 0, which stays where it is."""
    topic = topic_id(kafka, USAGE) or ""
    done = scored_until(client, [_PLACE], topic)
    low, _ = offset_ranges(client, [_PLACE])[_PLACE.partition]
    mark = offset_mark(topic, lake_id, str(division))
    transactions.commit(client, [TopicPartition(USAGE, 0, done.get(0, low), mark)])


def recorded_division(client: Consumer) -> Division:
    """The division that was begun last.

    Args:
        client: A consumer in the scorers' group.
    """
    [place] = client.committed([_PLACE], timeout=ANSWER_SECONDS)
    marks = (place.metadata or "").split()
    if len(marks) < 3:
        return Division()
    name, scorers, highest = marks[2].split("/")
    return Division(name, int(scorers), int(highest))
