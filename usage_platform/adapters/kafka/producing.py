"""Producing messages however many wait to be sent.

Belongs here: a producer whose queue is full, and one whose call hangs. Not here: which messages
(`services`).
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from confluent_kafka import KafkaError, KafkaException, Producer

_POLL_SECONDS = 1.0


def produce(
    producer: Producer,
    topic: str,
    value: bytes | None,
    key: bytes | None,
    seconds: float,
    headers: Sequence[tuple[str, bytes]] = (),
) -> None:
    """Produce a message; where the producer's queue is full, wait until the broker takes some.

    Args:
        producer: The producer.
        topic: The topic.
        value: The value; None is a tombstone.
        key: The key, or None.
        seconds: For how long to wait.
        headers: Names and values.

    Raises:
        KafkaException: When the queue stays full.
    """
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            return producer.produce(topic, value, key, headers=[*headers] or None)
        except BufferError:
            producer.poll(_POLL_SECONDS)
    raise KafkaException(KafkaError(KafkaError._QUEUE_FULL))


def within(seconds: float, call: Callable[[], None]) -> None:
    """Make a call that may hang; a hanging call is abandoned and counts as timed out.

    Raises:
        KafkaException: That of the call, or a timeout.
    """
    outcome: Future[None] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True, name="kafka-call").start()
    try:
        outcome.result(seconds)
    except TimeoutError:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from None
