"""Samples from devices at a real broker of MQTT: nothing is lost, and readings equal the oracle."""

import json
import threading

import pandas as pd
import pytest
from confluent_kafka import Producer

from usage_platform.adapters.kafka.events import raw_frame
from usage_platform.adapters.kafka.topics import SAMPLES, USAGE
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.adapters.lake.usage_events import apply_events
from usage_platform.adapters.mqtt.subscription import BrokerAddress
from usage_platform.core.limits import EventLimits
from usage_platform.core.samples.topic_filter import TopicFilter
from usage_platform.services import collect_samples
from usage_platform.services.average_samples import SampleAverager
from usage_platform.services.collect_samples import Collector
from usage_platform_tests.adapters.alert_sinks.mqtt_broker import mqtt_broker
from usage_platform_tests.services.simulated_devices import (
    METERS,
    REGISTRY,
    TOPICS,
    device_messages,
    expected,
    publisher,
)
from usage_platform_tests.topics import renew_sample_topics, until

pytestmark = pytest.mark.kafka

LIMITS = EventLimits(event_bytes=1_000)


class RunningCollector:
    """A collector in a thread, until it is stopped, or dies without a word."""

    def __init__(self, kafka, port):
        self.states = []
        self.stop = threading.Event()
        topics = TopicFilter(TOPICS)
        self.collector = Collector(
            kafka, BrokerAddress("127.0.0.1", port), topics, LIMITS, self.states.append
        )
        self.thread = threading.Thread(target=self._run)
        self.error = None

    def _run(self):
        try:
            self.collector.run(self.stop.is_set, lambda _: None)
        except Exception as error:
            self.error = error

    def __enter__(self):
        self.thread.start()
        until(lambda: "" in self.states or not self.thread.is_alive())
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(60)
        assert not self.thread.is_alive()

    def cut(self):
        """Break the connection, as a broker that is killed does."""
        self.collector._subscription._client.socket().close()


def assert_readings_equal_the_oracle(kafka, lake, read_all):
    averager = SampleAverager(kafka, lake)
    try:
        result = averager.tick(METERS, REGISTRY, 60)
    finally:
        averager.close()
    assert result.is_caught_up
    assert not result.rejected
    found = {}
    for event in map(json.loads, (m.value() for m in read_all(kafka, USAGE))):
        key = event["meter"], pd.Timestamp(event["ts"])
        assert key not in found
        found[key] = event["value"]
    assert {name for name, _ in found} == set(METERS)
    assert found == pytest.approx(expected(), rel=1e-9, abs=1e-9)
    # As a micro-batch writes them.
    create_tables(lake)
    apply_events(lake, REGISTRY, raw_frame(read_all(kafka, USAGE)))
    rows = LakeReader(lake).rows(READINGS, ["meter", "event_time", "value"])
    keys = zip(rows["meter"], rows["event_time"], strict=True)
    assert dict(zip(keys, rows["value"], strict=True)) == found


@pytest.fixture
def topics(kafka):
    renew_sample_topics(kafka)
    return kafka


def test_three_devices_fill_usage_while_collector_and_connection_break(
    topics, lake, read_all, unused_port, tmp_path
):
    messages = device_messages()
    third = len(messages) // 3
    with (
        mqtt_broker(tmp_path, unused_port(), unused_port()) as broker,
        publisher(broker.port) as publish,
    ):
        with RunningCollector(topics, broker.port) as first:
            publish(messages[:third])
            until(lambda: first.collector.collected.samples == third)
        # Nobody collects: the broker keeps what comes.
        publish(messages[third : third + 20])
        with RunningCollector(topics, broker.port) as second:
            publish(messages[third + 20 : 2 * third])
            second.cut()
            publish(messages[2 * third :])
            # Not a count: what was on its way at the cut comes twice.
            texts = {text.encode() for _, text in messages}
            until(lambda: texts <= {m.value() for m in read_all(topics, SAMPLES)})
        assert any("trying again" in state for state in second.states)
        assert second.error is None
    assert {m.key() for m in read_all(topics, SAMPLES)} == {b"plug", b"clamp", b"p1"}
    assert_readings_equal_the_oracle(topics, lake, read_all)


class LosingProducer(Producer):
    """Never gets an acknowledgement, as of a broker of Kafka that is away."""

    def produce(self, *given, **named):
        pass


def test_what_kafka_has_not_acknowledged_comes_again(
    topics, read_all, unused_port, tmp_path, monkeypatch
):
    sent = [(f"tele/m{n}/SENSOR", str(n)) for n in range(5)]
    with (
        mqtt_broker(tmp_path, unused_port(), unused_port()) as broker,
        publisher(broker.port) as publish,
    ):
        with monkeypatch.context() as patch:
            patch.setattr(collect_samples, "Producer", LosingProducer)
            with RunningCollector(topics, broker.port) as losing:
                publish(sent)
                until(lambda: losing.collector._waiting == len(sent))
        assert read_all(topics, SAMPLES) == []
        with RunningCollector(topics, broker.port) as next_one:
            until(lambda: next_one.collector.collected.samples == len(sent))
        assert {m.value() for m in read_all(topics, SAMPLES)} == {text.encode() for _, text in sent}
        # It was acknowledged: it does not come a third time.
        with RunningCollector(topics, broker.port) as last:
            publish([("tele/end/SENSOR", "1")])
            until(lambda: last.collector.collected.samples == 1)


def test_what_is_too_large_is_cut_and_what_names_no_meter_is_counted(
    topics, read_all, unused_port, tmp_path
):
    with (
        mqtt_broker(tmp_path, unused_port(), unused_port()) as broker,
        publisher(broker.port) as publish,
        RunningCollector(topics, broker.port) as running,
    ):
        publish([("tele/ /SENSOR", "1"), ("tele/big/SENSOR", "9" * 5_000)])
        until(lambda: running.collector.collected.samples == 1)
    assert running.collector.collected.unnamed == 1
    [message] = read_all(topics, SAMPLES)
    assert len(message.value()) == LIMITS.event_bytes + 1
    assert abs(int(dict(message.headers())["collected_ms"]) - message.timestamp()[1]) < 60_000
