"""Consuming: a message ends the wait, at most so many come at once, ends of partitions count."""

from contextlib import closing

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from usage_platform.adapters.kafka.consuming import consume, has_reached, noting_ends
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
