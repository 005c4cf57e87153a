"""Waiting until a message is on some topics behind given offsets.

Belongs here: the wait, without a loop that asks again and again. Not here: from where on a message
counts (the caller), reading it (`consuming`).
"""

import threading
import time
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaException, TopicPartition

from usage_platform.adapters.kafka.topics import (
    KafkaSettings,
    KafkaUnreachableError,
    partitions_of,
)

# So soon an ending is noticed.
_POLL_SECONDS = 0.5
_CLIENT = {
    "group.id": "usage-platform-arrivals",
    "enable.auto.commit": False,
    "isolation.level": "read_committed",
    # An offset behind the end of its partition is reported: the topic is another one then.
    "auto.offset.reset": "error",
    # Partitions of one broker share its requests: one that joins them waits for the answer.
    "fetch.wait.max.ms": 1000,
}
_LOOK_SECONDS = 5.0
_LOOK_ANSWER_SECONDS = 1.0


def message_arrives(
    kafka: KafkaSettings,
    behind: Mapping[str, Mapping[int, int]],
    seconds: float,
    ending: threading.Event,
) -> bool:
    """Wait until a committed message is at some offsets of topics, or after them.

    A broker that does not answer is waited for. Partitions that come, go or begin again end the
    wait, like a message: the offsets no longer say what is new. New partitions are noticed within
    some 5 seconds, all else at once.

    Args:
        kafka: The brokers.
        behind: By topic, the first offset of each of its partitions that counts; no partition where
            the topic does not exist.
        seconds: For how long to wait at most.
        ending: Ends the wait within half a second when it is set.

    Returns:
        Whether something came; False when the time is up or `ending` is set.
    """
    deadline = time.monotonic() + seconds
    places = [TopicPartition(t, p, at) for t, ends in behind.items() for p, at in ends.items()]
    client = Consumer(kafka.client(**_CLIENT))
    try:
        client.assign(places)
        next_look = time.monotonic()
        while (left := deadline - time.monotonic()) > 0 and not ending.is_set():
            if time.monotonic() >= next_look:
                if _has_other_partitions(client, kafka, behind):
                    return True
                next_look = time.monotonic() + _LOOK_SECONDS
            message = client.poll(min(left, _POLL_SECONDS))
            if message is None:
                continue
            error = message.error()
            if error is None or not error.retriable():
                return True
            # The client tries again by itself.
            ending.wait(min(left, _POLL_SECONDS))
        return False
    finally:
        client.close()


def _has_other_partitions(
    client: Consumer, kafka: KafkaSettings, behind: Mapping[str, Mapping[int, int]]
) -> bool:
    """Whether a topic has other partitions now; False where no broker says so."""
    try:
        return any(
            {one.partition for one in partitions_of(client, kafka, topic, _LOOK_ANSWER_SECONDS)}
            != set(ends)
            for topic, ends in behind.items()
        )
    except (KafkaUnreachableError, KafkaException):
        return False
