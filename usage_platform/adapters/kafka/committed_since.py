"""All messages of a topic that committed transactions wrote since a time.

Belongs here: reading to the end that the topic has now, open transactions included. Not here:
reading between given offsets (`events`), following a topic (`watch`).
"""

from collections.abc import Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from usage_platform.adapters.kafka.open_transactions import wait_for_their_end
from usage_platform.adapters.kafka.topics import (
    ANSWER_SECONDS,
    KafkaSettings,
    messages_to_end,
    partitions_of,
    positions_at,
)
from usage_platform.core.time.units import NS_A_MILLISECOND

CLOCK_SLACK_MS = 7 * 24 * 60 * 60 * 1000
"""Messages are read from so long before the time asked for: a broker's clock may be set back."""


def committed_since(
    client: Consumer,
    kafka: KafkaSettings,
    topic: str,
    since: int | None,
    transaction_seconds: float,
) -> Iterator[Message]:
    """The committed messages of a topic that the broker appended since a time.

    The end of open transactions is waited for: what was committed meanwhile lies behind them.

    Args:
        client: A consumer as of `events.committed_reader`; it is assigned the partitions.
        kafka: The brokers.
        topic: The topic.
        since: The time, ns since 1970 UTC, less `CLOCK_SLACK_MS`; None for all messages.
        transaction_seconds: After how long the broker ends a transaction.

    Raises:
        KafkaException: When the broker refuses or is silent, or a transaction is open for longer.
    """
    partitions = partitions_of(client, kafka, topic)
    if not partitions:
        return
    wait_for_their_end(kafka, partitions, transaction_seconds + ANSWER_SECONDS)
    yield from messages_to_end(client, _starts(client, partitions, since))


def _starts(
    client: Consumer, partitions: list[TopicPartition], since: int | None
) -> list[TopicPartition]:
    """Where to begin in each partition."""
    at = 0 if since is None else since // NS_A_MILLISECOND - CLOCK_SLACK_MS
    if at <= 0:
        return [TopicPartition(p.topic, p.partition, OFFSET_BEGINNING) for p in partitions]
    return positions_at(client, partitions, at)
