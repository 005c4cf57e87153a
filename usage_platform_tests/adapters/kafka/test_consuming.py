"""Consuming: a message ends the wait, at most so many come at once, ends of partitions count."""

from contextlib import closing

import pytest
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from usage_platform.adapters.kafka.consuming import (
    MOST_BYTES,
    consume,
    has_reached,
    message_portions,
    noting_ends,
)
from usage_platform.adapters.kafka.topics import USAGE

# Longer than a test may take: who waits for so long fails.
A_DAY = 86_400.0


def reader(kafka, **settings):
    client = Consumer(kafka.client(**{"group.id": "test-consuming", **settings}))
    client.assign([TopicPartition(USAGE, 0, 0)])
    return closing(client)


@pytest.mark.kafka
def test_messages_that_are_there_end_the_wait(kafka, put):
    put(kafka, [b"%d" % n for n in range(450)])
    with reader(kafka) as client:
        found = []
        while len(found) < 450:
            found += consume(client, 10_000, A_DAY)
    assert [message.value() for message in found] == [b"%d" % n for n in range(450)]


@pytest.mark.kafka
def test_no_more_come_at_once_than_asked_for(kafka, put):
    put(kafka, [b"%d" % n for n in range(5)])
    with reader(kafka) as client:
        assert [len(consume(client, most, A_DAY, A_DAY)) for most in (1, 3, 1)] == [1, 3, 1]
        assert consume(client, 1, 0.0) == []


@pytest.mark.kafka
def test_the_end_of_a_partition_ends_the_wait_where_it_is_reported(kafka, put):
    put(kafka, [b"one"])
    with reader(kafka, **{"enable.partition.eof": True}) as client:
        ended: dict[int, int] = {}
        found = []
        while not ended:
            found += noting_ends(consume(client, 10, A_DAY), ended)
        assert ([message.value() for message in found], ended) == ([b"one"], {0: 1})
        put(kafka, [b"two"])
        (again,) = noting_ends(consume(client, 1, A_DAY), ended)
        assert again.value() == b"two"
        (end,) = consume(client, 1, A_DAY)
        assert end.error().code() == KafkaError._PARTITION_EOF


@pytest.mark.parametrize(
    ("consumed", "ended", "reached"),
    [
        ({0: 5, 1: 7}, {}, True),
        ({0: 4, 1: 7}, {}, False),
        # A marker of a transaction lies before the end.
        ({0: 4, 1: 7}, {0: 5}, True),
        ({1: 7}, {0: 4}, False),
        ({1: 7}, {0: 5}, True),
    ],
)
def test_an_end_is_reached_by_events_or_by_markers_behind_them(consumed, ended, reached):
    assert has_reached({0: 5, 1: 7}, consumed, ended) == reached


MEGABYTE = b"x" * 1_000_000
PARTS_THAT_FILL_MEMORY = {
    "value": {"value": MEGABYTE},
    "key": {"key": MEGABYTE},
    "value of a header": {"headers": [("h", MEGABYTE)]},
    "name of a header": {"headers": [(MEGABYTE.decode(), None)]},
}


class Unreadable:
    """A message with a header whose name is not UTF-8."""

    def headers(self):
        raise SystemError("returned a result with an exception set")

    def key(self):
        return None

    def __getattr__(self, name):
        return getattr(Message(topic="usage", partition=0, offset=0, value=b"1"), name)


class Arrived:
    """A consumer for which so many messages wait."""

    def __init__(self, messages):
        self.messages = messages

    def consume(self, number, timeout):
        found, self.messages = self.messages[:number], self.messages[number:]
        return found


def of(parts, number):
    return [
        Unreadable() if parts is None else Message(topic="usage", partition=0, offset=n, **parts)
        for n in range(number)
    ]


LARGE = pytest.mark.parametrize(
    "parts", [*PARTS_THAT_FILL_MEMORY.values(), None], ids=[*PARTS_THAT_FILL_MEMORY, "unreadable"]
)


@LARGE
def test_a_call_ends_at_its_bytes_whichever_part_of_a_message_holds_them(parts):
    waiting = Arrived(of(parts, 500))
    assert len(consume(waiting, 10_000, A_DAY)) < 500
    assert waiting.messages


@LARGE
def test_portions_end_at_their_bytes_and_lose_nothing(parts):
    messages = of(parts, 40)
    portions = list(message_portions(iter(messages), 10_000))
    assert [one for portion in portions for one in portion] == messages
    assert max(map(len, portions)) <= MOST_BYTES // 1_000_000
    assert min(map(len, portions)) > 1


def test_portions_end_at_their_number_and_none_is_empty():
    messages = of({"value": b"1"}, 7)
    assert list(map(len, message_portions(messages, 3))) == [3, 3, 1]
    assert list(map(len, message_portions(messages, 7))) == [7]
    assert list(message_portions([], 3)) == []
