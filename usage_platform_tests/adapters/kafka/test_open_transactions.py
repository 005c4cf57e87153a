"""Open transactions on the real broker: seen while they are open, with their place and age."""

import pandas as pd
import pytest
from confluent_kafka import Producer

from usage_platform.adapters.kafka.open_transactions import open_transactions
from usage_platform.adapters.kafka.topics import ANOMALY, EPISODE, USAGE

pytestmark = pytest.mark.kafka


def opened(kafka, *topics) -> Producer:
    """A producer with an open transaction of one event on each topic."""
    client = kafka.client(**{"transactional.id": "hangs", "transaction.timeout.ms": 60_000})
    producer = Producer(client)
    producer.init_transactions(30)
    producer.begin_transaction()
    for topic in topics:
        producer.produce(topic, b"{}")
    producer.flush(30)
    return producer


def test_a_transaction_is_seen_from_its_first_event_until_it_ends(kafka, put):
    put(kafka, [b"{}", b"{}"], ANOMALY)
    now = pd.Timestamp.now(tz="UTC")
    assert open_transactions(kafka, now) == []
    producer = opened(kafka, ANOMALY, EPISODE)
    put(kafka, [b"{}"], ANOMALY)
    later = now + pd.Timedelta(hours=2)
    anomaly, episode = open_transactions(kafka, later)
    assert (anomaly.topic, anomaly.partition, anomaly.stable, anomaly.end) == (ANOMALY, 0, 2, 4)
    assert (episode.topic, episode.stable, episode.end) == (EPISODE, 0, 1)
    assert pd.Timedelta(hours=1) < anomaly.age < pd.Timedelta(hours=2)
    assert str(anomaly).startswith("anomaly partition 0: offsets 2 to 3 wait for a transaction ")
    producer.abort_transaction(30)
    assert open_transactions(kafka, later) == []


def test_another_producers_transaction_on_usage_is_seen_as_the_readers_of_usage_wait_too(
    kafka, put, read_all
):
    put(kafka, [b"first"])
    producer = opened(kafka, USAGE)
    put(kafka, [b"behind it"])
    (found,) = open_transactions(kafka, pd.Timestamp.now(tz="UTC"))
    assert (found.topic, found.partition, found.stable, found.end) == (USAGE, 0, 1, 3)
    assert [event.value() for event in read_all(kafka)] == [b"first"]
    producer.commit_transaction(30)
    assert open_transactions(kafka, pd.Timestamp.now(tz="UTC")) == []
    assert len(read_all(kafka)) == 3
