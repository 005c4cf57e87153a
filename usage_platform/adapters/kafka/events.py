"""What was put on a topic: the committed events of a stretch of offsets, as frames.

Belongs here: reading, bounded by offsets, for whoever looks at a topic from outside of a stream.
Not here: making topics and their ends (`kafka_topics`), consuming in a group (`scoring`).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pandas as pd
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from usage_platform.adapters.kafka.topics import KafkaSettings, messages_to_end
from usage_platform.core.readings.validation import RAW_COLUMNS


@contextmanager
def committed_reader(
    kafka: KafkaSettings, name: str, on_error: Callable[[KafkaError], None] | None = None
) -> Iterator[Consumer]:
    """A consumer of committed events that leaves no trace on the broker.

    Args:
        kafka: The brokers.
        name: What the broker's logs call it.
        on_error: Called with what goes wrong beside reading, as when all brokers are down.
    """
    client = Consumer(
        kafka.client(
            **{
                "group.id": name,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
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
        client: A consumer with `enable.partition.eof`, such as `committed_reader` gives.
        topic: The topic.
        starts: The first offset of each partition to read.
        ends: One past the last offset; of every partition in `starts`.

    Raises:
        KafkaException: When the broker refuses, or is silent for too long.
    """
    waiting = {partition for partition, start in starts.items() if start < ends[partition]}
    places = [TopicPartition(topic, partition, starts[partition]) for partition in waiting]
    for message in messages_to_end(client, places):
        partition, offset = message.partition() or 0, message.offset() or 0
        if offset < ends[partition]:
            yield message
        if offset >= ends[partition] - 1:
            waiting.discard(partition)
            if not waiting:
                return


def raw_frame(messages: list[Message]) -> pd.DataFrame:
    """Messages of `usage` as `core.readings.validation` takes them."""
    frame = pd.DataFrame(
        [(m.topic(), m.partition(), m.offset(), m.timestamp()[1], m.value()) for m in messages],
        columns=RAW_COLUMNS,
    )
    frame["kafka_time"] = pd.to_datetime(frame["kafka_time"], unit="ms", utc=True).astype(
        "datetime64[ns, UTC]"
    )
    return frame
