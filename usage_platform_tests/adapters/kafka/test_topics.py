"""Topics: made once, as they must be; a broker that is not there is one clear line."""

import gc
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource

from usage_platform.adapters.kafka import topics
from usage_platform.adapters.kafka.security import Scram
from usage_platform.adapters.kafka.topics import (
    ANOMALY,
    DEAD_LETTERS,
    EPISODE,
    USAGE,
    KafkaSettings,
    KafkaUnreachableError,
    end_offsets,
    ensure_topics,
)
from usage_platform_tests.topics import until


@pytest.mark.kafka
def test_topics_are_made_once_with_their_partitions_and_the_brokers_clock(fresh_topics):
    kafka = fresh_topics(partitions=3)
    ensure_topics(kafka)
    admin = AdminClient(kafka.client())
    names = (USAGE, ANOMALY, EPISODE, DEAD_LETTERS)
    there = admin.list_topics(timeout=30).topics
    assert [len(there[name].partitions) for name in names] == [3, 3, 3, 3]
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
    for future in admin.describe_configs(resources).values():
        assert future.result()["message.timestamp.type"].value == "LogAppendTime"


@pytest.mark.kafka
def test_the_settings_of_topics_are_checked_once_a_process_until_a_topic_is_made_again(
    fresh_topics, monkeypatch
):
    checked = []
    monkeypatch.setattr(topics, "_correct_settings", lambda admin, names: checked.append({*names}))
    kafka = fresh_topics()
    for _ in range(3):
        ensure_topics(kafka)
    every = {USAGE, ANOMALY, EPISODE, DEAD_LETTERS}
    assert checked == [every]
    ensure_topics(fresh_topics())
    assert checked == [every, every]


@pytest.mark.kafka
def test_a_cluster_that_lets_nobody_see_settings_is_warned_of_once(
    fresh_topics, monkeypatch, caplog
):
    def refuse(*_, **__):
        future = Future()
        future.set_exception(KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)))
        return {ConfigResource(ConfigResource.Type.TOPIC, USAGE): future}

    kafka = fresh_topics()
    monkeypatch.setattr(topics.AdminClient, "describe_configs", refuse)
    for _ in range(3):
        ensure_topics(kafka)
    warned = [record for record in caplog.records if record.name == topics.__name__]
    assert [record.levelname for record in warned] == ["WARNING"]


@pytest.mark.kafka
def test_end_offsets_tell_each_partitions_first_offset_and_end(fresh_topics, put):
    kafka = fresh_topics(partitions=2)
    put(kafka, [(1, b"a"), (1, b"b"), (0, b"c")])
    assert end_offsets(kafka, USAGE) == {0: (0, 1), 1: (0, 2)}


@pytest.mark.kafka
def test_a_topic_that_does_not_exist_has_no_offsets(broker):
    assert end_offsets(broker, "never-made") == {}


@pytest.mark.parametrize("ask", [ensure_topics, lambda kafka: end_offsets(kafka, USAGE)])
def test_a_broker_out_of_reach_is_one_line_with_its_address_and_what_to_do(
    ask, unused_port, monkeypatch, capfd
):
    monkeypatch.setattr("usage_platform.adapters.kafka.topics.ANSWER_SECONDS", 1.0)
    address = f"127.0.0.1:{unused_port()}"
    with pytest.raises(KafkaUnreachableError) as caught:
        ask(KafkaSettings(address))
    message = str(caught.value)
    assert message.startswith(f"Kafka at {address} does not answer (")
    assert message.endswith("'usage-platform up', or set USAGE_KAFKA_BOOTSTRAP")
    assert "\n" not in message
    assert capfd.readouterr() == ("", "")


def threads_of_clients() -> set[str]:
    found = set()
    for name in Path("/proc/self/task").glob("*/comm"):
        with suppress(OSError):  # It has ended meanwhile.
            if name.read_text("utf-8").startswith("rdk:"):
                found.add(name.parent.name)
    return found


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc of Linux")
def test_a_client_that_got_no_answer_is_not_left_to_the_garbage_collector(unused_port, monkeypatch):
    """Which runs on any thread: also on the client's own, where its end aborts the process."""
    monkeypatch.setattr("usage_platform.adapters.kafka.topics.ANSWER_SECONDS", 1.0)
    with no_garbage_collection():
        before = threads_of_clients()
        with pytest.raises(KafkaUnreachableError):
            ensure_topics(KafkaSettings(f"127.0.0.1:{unused_port()}"))
        # Linux shows a thread for a moment after it was joined.
        until(lambda: not threads_of_clients() - before)


def test_security_settings_reach_the_client_and_stay_out_of_logs():
    kafka = KafkaSettings("b:9092", security=Scram("ann", "secret"))
    assert kafka.client(**{"group.id": "g"})["sasl.password"] == "secret"
    assert kafka.client(**{"group.id": "g"})["group.id"] == "g"
    assert "secret" not in repr(kafka)
