"""Committed messages off the real broker, from a time on."""

import threading
import time

import pandas as pd
import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.cimpl import NewTopic

from usage_platform.adapters.kafka.committed_since import CLOCK_SLACK_MS, committed_since
from usage_platform.adapters.kafka.events import committed_reader
from usage_platform.adapters.kafka.topics import ANOMALY, EPISODE, administration

pytestmark = pytest.mark.kafka


def values(kafka, topic=ANOMALY, since=None, seconds=60.0):
    with committed_reader(kafka, "test-committed-since") as client:
        return [m.value() for m in committed_since(client, kafka, topic, since, seconds)]


def in_transaction(kafka, name, value):
    """A producer whose transaction on `anomaly` is open."""
    client = kafka.client(**{"transactional.id": name, "transaction.timeout.ms": 60_000})
    producer = Producer(client)
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(ANOMALY, value)
    producer.flush(30)
    return producer


@pytest.mark.parametrize("end", ["commit", "abort"])
def test_what_is_committed_behind_an_open_transaction_is_there(kafka, end):
    first = in_transaction(kafka, "first", b"first")
    in_transaction(kafka, "second", b"second").commit_transaction(30)

    def end_it():
        time.sleep(1.0)
        first.commit_transaction(30) if end == "commit" else first.abort_transaction(30)

    ending = threading.Thread(target=end_it)
    ending.start()
    found = values(kafka)
    ending.join()
    assert found == ([b"first", b"second"] if end == "commit" else [b"second"])


def test_a_transaction_that_does_not_end_is_an_error_that_says_so(kafka):
    open_one = in_transaction(kafka, "first", b"first")
    with pytest.raises(KafkaException, match="a transaction has been open for"):
        values(kafka, seconds=-9.0)
    open_one.abort_transaction(30)


def test_messages_of_before_the_time_less_the_slack_are_left_out(kafka):
    topic = "timed"
    with administration(kafka) as admin:
        config = {"message.timestamp.type": "CreateTime"}
        made = admin.create_topics([NewTopic(topic, 2, 1, config=config)])
        made[topic].result(30)
    now = pd.Timestamp.now(tz="UTC")
    slack = pd.Timedelta(CLOCK_SLACK_MS, "ms")
    producer = Producer(kafka.client())
    for number, at in enumerate((now - 2 * slack, now - slack / 2, now)):
        stamp = at.value // 1_000_000
        producer.produce(topic, str(number).encode(), partition=number % 2, timestamp=stamp)
    producer.flush(30)
    assert sorted(values(kafka, topic)) == [b"0", b"1", b"2"]
    assert sorted(values(kafka, topic, now.value)) == [b"1", b"2"]
    assert values(kafka, topic, (now + 3 * slack).value) == []


def test_a_topic_that_is_not_there_has_none(kafka):
    assert values(kafka, "never") == []
    assert values(kafka, EPISODE) == []
