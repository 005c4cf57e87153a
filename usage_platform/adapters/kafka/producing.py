"""Producing messages however many wait to be sent.

Belongs here: a producer whose queue is full, and one whose call hangs. Not here: which messages
(`services`).
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from confluent_kafka import KafkaError, KafkaException, Message, Producer

Headers = Sequence[tuple[str, str | bytes | None]]
"""The names and values of a message's headers."""

Delivered = Callable[[KafkaError | None, Message], None]
"""Gets the error of a message that was not delivered, or None."""

_POLL_SECONDS = 0.1


def produce(
    producer: Producer,
    topic: str,
    value: bytes | None,
    key: bytes | None,
    seconds: float,
    headers: Headers | None = None,
    on_delivery: Delivered | None = None,
) -> None:
    """Produce a message; where the producer's queue is full, wait until the broker takes some.

    Args:
        producer: The producer.
        topic: The topic.
        value: The value; None is a tombstone.
        key: The key, or None.
        seconds: For how long to wait; infinite to wait until there is room.
        headers: Names and values.
        on_delivery: Called with the outcome, while the producer is polled.

    Raises:
        KafkaException: When the queue stays full.
    """
    ends: float | None = None
    listed = None if headers is None else [*headers]
    while True:
        try:
            return producer.produce(topic, value, key, headers=listed, on_delivery=on_delivery)
        except BufferError:
            ends = time.monotonic() + seconds if ends is None else ends
            if time.monotonic() >= ends:
                raise KafkaException(KafkaError(KafkaError._QUEUE_FULL)) from None
            producer.poll(_POLL_SECONDS)


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
