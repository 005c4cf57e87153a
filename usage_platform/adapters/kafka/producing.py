"""Producing messages however many wait to be sent.

Belongs here: what a full queue of a producer means. Not here: which messages (`services`).
"""

import time

from confluent_kafka import KafkaError, KafkaException, Producer

_POLL_SECONDS = 1.0


def produce(
    producer: Producer, topic: str, value: bytes | None, key: bytes | None, seconds: float
) -> None:
    """Produce a message; where the producer's queue is full, wait until the broker takes some.

    Args:
        producer: The producer.
        topic: The topic.
        value: The value; None is a tombstone.
        key: The key, or None.
        seconds: For how long to wait.

    Raises:
        KafkaException: When the queue stays full.
    """
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            return producer.produce(topic, value, key)
        except BufferError:
            producer.poll(_POLL_SECONDS)
    raise KafkaException(KafkaError(KafkaError._QUEUE_FULL))
