import math

import pytest
from confluent_kafka import KafkaError, KafkaException

from usage_platform.adapters.kafka.producing import produce, within


class FullQueue:
    """A producer whose queue is full until it was polled so many times."""

    def __init__(self, polls):
        self.polls, self.taken = polls, []

    def produce(self, topic, value, key, headers, on_delivery):
        if self.polls > 0:
            raise BufferError("Queue full")
        self.taken.append((topic, value, key, headers, on_delivery))

    def poll(self, seconds):
        self.polls -= 1


def test_a_full_queue_is_waited_for():
    producer = FullQueue(polls=3)
    produce(producer, "usage", b"1", b"a", seconds=60)
    produce(producer, "usage", b"2", b"a", math.inf, [("source", b"x")], print)
    assert producer.taken == [
        ("usage", b"1", b"a", None, None),
        ("usage", b"2", b"a", [("source", b"x")], print),
    ]


def test_a_queue_that_stays_full_is_a_failure_of_kafka():
    with pytest.raises(KafkaException) as raised:
        produce(FullQueue(polls=10**9), "usage", b"1", None, seconds=0.01)
    assert raised.value.args[0].code() == KafkaError._QUEUE_FULL


def test_the_failure_of_a_call_that_may_hang_is_its_own():
    def fails():
        raise KafkaException(KafkaError(KafkaError._FENCED))

    with pytest.raises(KafkaException) as raised:
        within(60, fails)
    assert raised.value.args[0].code() == KafkaError._FENCED
