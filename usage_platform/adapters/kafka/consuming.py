"""Consuming messages in bounded portions, and past those that cannot be decompressed.

Belongs here: what every reader of a topic does with a consumer, whoever it reads for. Not here:
where it begins and what it commits, the content of the messages (`core`).
"""

import logging
import time
from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

MOST_BYTES = 16_000_000
"""Values of so many bytes end a call: some 100,000 readings, or a few hostile messages."""

_PORTION = 200
_UNREADABLE = (KafkaError._BAD_COMPRESSION, KafkaError._BAD_MSG)
_log = logging.getLogger(__name__)


def consume(client: Consumer, most: int, seconds: float) -> list[Message]:
    """Messages as they arrive, and ends of partitions where the consumer reports these.

    A batch that cannot be decompressed is stepped over, offset by offset: the consumer would report
    it for ever. Whoever else reads the topic may be able to read it.

    Args:
        client: A consumer with its partitions assigned.
        most: The largest number of messages.
        seconds: For how long to wait for them.

    Raises:
        KafkaException: On an error that does not pass by itself.
    """
    found: list[Message] = []
    size, ends = 0, time.monotonic() + seconds
    while len(found) < most and size < MOST_BYTES:
        portion = client.consume(
            min(_PORTION, most - len(found)), timeout=max(ends - time.monotonic(), 0)
        )
        # What follows in a partition that was stepped over comes again.
        stepped: set[tuple[str | None, int | None]] = set()
        for message in portion:
            error, place = message.error(), (message.topic(), message.partition())
            if place in stepped:
                continue
            if error is None or error.code() == KafkaError._PARTITION_EOF:
                found.append(message)
                size += len(message.value() or b"") if error is None else 0
            elif error.code() in _UNREADABLE:
                stepped.add(place)
                _step_over(client, message, error)
            elif not error.retriable():
                raise KafkaException(error)
        if len(portion) < _PORTION and not stepped:
            break
    return found


def noting_ends(messages: Iterable[Message], ended: dict[int, int]) -> list[Message]:
    """The messages of one topic without ends of partitions, which are noted.

    Args:
        messages: As `consume` returns them.
        ended: Gets the offset behind each end that is reported: markers of transactions before it
            are passed, too.
    """
    found: list[Message] = []
    for message in messages:
        if message.error() is None:
            found.append(message)
        else:
            ended[message.partition() or 0] = message.offset() or 0
    return found


def _step_over(client: Consumer, message: Message, error: KafkaError) -> None:
    topic, partition = message.topic() or "", message.partition() or 0
    offset = message.offset() or 0
    _log.warning("%s: offset %d of partition %d left out: %s", topic, offset, partition, error)
    client.seek(TopicPartition(topic, partition, offset + 1))
