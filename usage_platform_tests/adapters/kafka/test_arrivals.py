"""Waiting for a message on a real broker: what ends the wait, and what does not."""

import os
import threading
import time
from contextlib import contextmanager
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from usage_platform.adapters.kafka.arrivals import message_arrives
from usage_platform.adapters.kafka.topics import (
    ANOMALY,
    USAGE,
    KafkaSettings,
    end_offsets,
    ensure_topics,
)
from usage_platform.local.broker import broker_service
from usage_platform.local.process import ChildProcess
from usage_platform_tests.topics import (
    SLOW_MACHINE_SECONDS,
    add_partition,
    put_events,
    recreate_topic,
    renew_topics,
)

SHORT = 3.0


def ends_of(kafka, *topics):
    return {t: {p: high for p, (_, high) in end_offsets(kafka, t).items()} for t in topics}


class Wait:
    """A wait in a thread of its own, that lasts for as long as a slow machine needs."""

    def __init__(self, kafka, behind):
        self.ending = threading.Event()
        self.came: list[bool] = []

        def wait():
            self.came.append(message_arrives(kafka, behind, SLOW_MACHINE_SECONDS, self.ending))

        self._thread = threading.Thread(target=wait)
        self._thread.start()

    @property
    def lasts(self) -> bool:
        return self._thread.is_alive()

    def end(self) -> bool:
        self._thread.join(SLOW_MACHINE_SECONDS / 2)
        assert not self.lasts, "it went on until its time was up"
        return self.came[0]


@contextmanager
def waiting(kafka, behind):
    """A wait that has begun, and still lasts."""
    wait = Wait(kafka, behind)
    try:
        time.sleep(1)
        assert wait.lasts
        yield wait
    finally:
        wait.ending.set()
        wait.end()


def test_a_message_that_is_there_already_ends_the_wait(kafka):
    behind = ends_of(kafka, USAGE)
    put_events(kafka, [b"1"])
    assert message_arrives(kafka, behind, SLOW_MACHINE_SECONDS, threading.Event())


@pytest.mark.parametrize("topic", [USAGE, ANOMALY])
def test_a_message_on_any_partition_of_any_topic_ends_the_wait(fresh_topics, topic):
    kafka = fresh_topics(3)
    put_events(kafka, [(0, b"1"), (1, b"2")])
    with waiting(kafka, ends_of(kafka, USAGE, ANOMALY)) as wait:
        put_events(kafka, [(2, b"3")], topic)
        assert wait.end()


def test_messages_before_the_offsets_do_not_end_it(kafka):
    put_events(kafka, [b"1", b"2"])
    assert not message_arrives(kafka, ends_of(kafka, USAGE), SHORT, threading.Event())


def test_a_transaction_ends_it_when_it_commits_and_not_when_it_aborts(kafka):
    producer = Producer(kafka.client(**{"transactional.id": "test-arrivals"}))
    producer.init_transactions()
    behind = ends_of(kafka, USAGE)
    producer.begin_transaction()
    producer.produce(USAGE, b"aborted")
    producer.flush()
    producer.abort_transaction()
    with waiting(kafka, behind) as wait:
        producer.begin_transaction()
        producer.produce(USAGE, b"committed")
        producer.flush()
        time.sleep(1)
        assert wait.lasts
        producer.commit_transaction()
        assert wait.end()


def test_an_ending_ends_it(kafka):
    with waiting(kafka, ends_of(kafka, USAGE)) as wait:
        wait.ending.set()
        assert not wait.end()


def test_a_new_partition_ends_it(kafka):
    with waiting(kafka, ends_of(kafka, USAGE)) as wait:
        add_partition(kafka, USAGE)
        put_events(kafka, [(1, b"1")])
        assert wait.end()


def test_a_topic_that_comes_into_being_ends_it(kafka):
    topic = f"late-{uuid4()}"
    with waiting(kafka, {topic: {}}) as wait:
        ensure_topics(kafka, (topic,))
        assert wait.end()


def test_a_topic_that_is_created_again_ends_it(kafka):
    put_events(kafka, [b"1", b"2", b"3"])
    with waiting(kafka, ends_of(kafka, USAGE)) as wait:
        recreate_topic(kafka, USAGE)
        assert wait.end()


def test_what_was_deleted_before_the_wait_ends_it(kafka):
    put_events(kafka, [b"1", b"2", b"3"])
    behind = ends_of(kafka, USAGE)
    recreate_topic(kafka, USAGE)
    assert message_arrives(kafka, behind, SLOW_MACHINE_SECONDS, threading.Event())


def test_a_broker_that_goes_and_comes_back_is_waited_for(java, jar_folders, unused_port, tmp_path):
    port = unused_port()
    service = broker_service(java, jar_folders.kafka, tmp_path, os.environ, port, unused_port())
    broker = ChildProcess(service)
    kafka = KafkaSettings(f"127.0.0.1:{port}")
    try:
        broker.start()
        broker.wait_ready(lambda text: None)
        renew_topics(kafka)
        with waiting(kafka, ends_of(kafka, USAGE)) as wait:
            broker.stop()
            time.sleep(SHORT)
            assert wait.lasts
            broker.start()
            broker.wait_ready(lambda text: None)
            assert wait.lasts
            put_events(kafka, [b"1"])
            assert wait.end()
    finally:
        broker.stop()
