"""Consuming messages in bounded portions, and past those that cannot be decompressed.

Belongs here: what every reader of a topic does with a consumer, whoever it reads for. Not here:
where it begins and what it commits, the content of the messages (`core`).
"""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from usage_platform.adapters.kafka.message_headers import has_readable_headers, readable_headers

MOST_BYTES = 16_000_000
"""Messages of so many bytes end a portion: some 100,000 readings, or a few hostile messages."""

_LARGEST_MESSAGE = 1_048_576
"""What a broker takes by default (`message.max.bytes`)."""

_PORTION = 200
LINGER_SECONDS = 0.05
"""For so long messages that follow the first one come along with it."""
_UNREADABLE = (KafkaError._BAD_COMPRESSION, KafkaError._BAD_MSG)
_log = logging.getLogger(__name__)


def consume(
    client: Consumer, most: int, seconds: float, linger: float = LINGER_SECONDS
) -> list[Message]:
    """Messages as they arrive, and ends of partitions where the consumer reports these.

    The first one ends the wait; those that follow it soon come along with it.

    A batch that cannot be decompressed is stepped over, offset by offset: the consumer would report
    it for ever. Whoever else reads the topic may be able to read it.

    Args:
        client: A consumer with its partitions assigned.
        most: The largest number of messages.
        seconds: For how long to wait for the first one.
        linger: For how many seconds to wait for others after it.

    Raises:
        KafkaException: On an error that does not pass by itself.
    """
    found: list[Message] = []
    # librdkafka waits until it has as many as it is asked for, or the time is up.
    size, ends, portion_size = 0, time.monotonic() + seconds, 1
    while len(found) < most and size < MOST_BYTES:
        asked = min(portion_size, most - len(found))
        portion = client.consume(asked, timeout=max(ends - time.monotonic(), 0))
        # What follows in a partition that was stepped over comes again.
        stepped: set[tuple[str | None, int | None]] = set()
        for message in portion:
            error, place = message.error(), (message.topic(), message.partition())
            if place in stepped:
                continue
            if error is None or error.code() == KafkaError._PARTITION_EOF:
                found.append(message)
                size += bytes_of(message) if error is None else 0
            elif error.code() in _UNREADABLE:
                stepped.add(place)
                _step_over(client, message, error)
            elif not error.retriable():
                raise KafkaException(error)
        if len(portion) < asked and not stepped:
            break
        if found and portion_size == 1:
            ends, portion_size = time.monotonic() + linger, _PORTION
    return found


def bytes_of(message: Message) -> int:
    """The bytes that a message holds, whatever of it a producer has filled."""
    if not has_readable_headers(message):
        return _LARGEST_MESSAGE
    headers = sum(len(name) + len(value or b"") for name, value in readable_headers(message))
    return len(message.key() or b"") + len(message.value() or b"") + headers


def message_portions(messages: Iterable[Message], most: int) -> Iterator[list[Message]]:
    """Messages in portions that fit memory, in their order; none of them is empty.

    Args:
        messages: Without ends of partitions.
        most: The largest number of messages of a portion; `MOST_BYTES` end one earlier.
    """
    portion: list[Message] = []
    size = 0
    for message in messages:
        portion.append(message)
        size += bytes_of(message)
        if len(portion) >= most or size >= MOST_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


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


def has_reached(
    ends: Mapping[int, int], consumed: Mapping[int, int], ended: Mapping[int, int]
) -> bool:
    """Whether all that lies before some offsets was consumed; markers of transactions are no event.

    Args:
        ends: By partition, the offset.
        consumed: By partition, the offset behind the last event that was consumed.
        ended: As `noting_ends` fills it.
    """
    return all(max(consumed.get(p, 0), ended.get(p, 0)) >= end for p, end in ends.items())


def _step_over(client: Consumer, message: Message, error: KafkaError) -> None:
    topic, partition = message.topic() or "", message.partition() or 0
    offset = message.offset() or 0
    _log.warning("%s: offset %d of partition %d left out: %s", topic, offset, partition, error)
    client.seek(TopicPartition(topic, partition, offset + 1))
