"""The committed events of a topic between offsets, as frames.

Belongs here: reading bounded by offsets, outside of a stream. Not here: topics and their ends
(`topics`), consuming in a group (`services.score`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import pandas as pd
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from usage_platform.adapters.kafka.topics import KafkaSettings, messages_to_end
from usage_platform.core.readings.reject_reasons import KEPT_BYTES
from usage_platform.core.readings.validation import RAW_COLUMNS
from usage_platform.core.time.broker_time import broker_times


@contextmanager
def committed_reader(
    kafka: KafkaSettings,
    name: str,
    on_error: Callable[[KafkaError], None] | None = None,
    fetch_wait_ms: int = 500,
) -> Iterator[Consumer]:
    """A consumer of committed events that commits no offsets.

    Args:
        kafka: The brokers.
        name: Its group id, under which the broker logs it.
        on_error: Called with errors of the connection, such as all brokers being down.
        fetch_wait_ms: For how long the broker waits for events before it answers that there are
            none; the end of a partition is known after that.
    """
    client = Consumer(
        kafka.client(
            **{
                "group.id": name,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": fetch_wait_ms,
                **({"error_cb": on_error} if on_error else {}),
            }
        )
    )
    try:
        yield client
    finally:
        client.close()


def messages_between(
    client: Consumer, topic: str, starts: Mapping[int, int], ends: Mapping[int, int]
) -> Iterator[Message]:
    """Events of a topic from some offsets to others.

    Args:
        client: A consumer with `enable.partition.eof`, such as that of `committed_reader`.
        topic: The topic.
        starts: The first offset of each partition to read.
        ends: One past the last offset; of every partition in `starts`.

    Raises:
        KafkaException: When the broker refuses, or is silent for too long.
    """
    unfinished = {partition for partition, start in starts.items() if start < ends[partition]}
    positions = [TopicPartition(topic, partition, starts[partition]) for partition in unfinished]
    for message in messages_to_end(client, positions):
        partition, offset = message.partition() or 0, message.offset() or 0
        if offset < ends[partition]:
            yield message
        if offset >= ends[partition] - 1:
            unfinished.discard(partition)
            if not unfinished:
                return


def arrivals(messages: Iterable[Message]) -> Iterator[tuple[tuple[int, int, int], Message]]:
    """Messages of several partitions, each with a key that orders them by their arrival.

    The key is the broker's time, then the offset and the partition. Where the broker's clock was
    set back, a message is as late as the one before it.

    Args:
        messages: Those of a partition in their order.
    """
    newest: dict[int, int] = {}
    for message in messages:
        partition, offset = message.partition() or 0, message.offset() or 0
        newest[partition] = max(message.timestamp()[1], newest.get(partition, 0))
        yield (newest[partition], offset, partition), message


def raw_frame(messages: Iterable[Message], most_bytes: int | None = None) -> pd.DataFrame:
    """Messages of `usage` as a frame of `core.readings.validation.RAW_COLUMNS`.

    Args:
        messages: The messages.
        most_bytes: The longest value that means anything: one byte more is kept, which shows that
            the value was too large, and of a key what a reject keeps. None to keep all.
    """
    value_bytes = None if most_bytes is None else most_bytes + 1
    key_bytes = None if most_bytes is None else KEPT_BYTES
    frame = pd.DataFrame(
        [
            (
                m.topic(),
                m.partition(),
                m.offset(),
                m.timestamp()[1],
                _cut(m.key(), key_bytes),
                _cut(m.value(), value_bytes),
            )
            for m in messages
        ],
        columns=RAW_COLUMNS,
    )
    frame["kafka_time"] = broker_times(frame["kafka_time"].tolist())
    return frame


def _cut(content: bytes | None, most: int | None) -> bytes | None:
    return None if content is None else content[:most]
