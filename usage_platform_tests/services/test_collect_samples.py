"""Samples from devices at a real broker of MQTT: nothing is lost, and readings equal the oracle."""

import json
import threading
from contextlib import contextmanager

import pandas as pd
import pytest
from confluent_kafka import Producer
from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from usage_platform.adapters.kafka.topics import SAMPLES, USAGE
from usage_platform.adapters.mqtt.subscription import BrokerAddress
from usage_platform.core.limits import EventLimits
from usage_platform.core.meter_descriptions.description import sample_descriptions
from usage_platform.core.meter_descriptions.parsing import parse_descriptions
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.samples.topic_filter import TopicFilter
from usage_platform.services import collect_samples
from usage_platform.services.average_samples import SampleAverager
from usage_platform.services.collect_samples import Collector
from usage_platform_tests.adapters.alert_sinks.mqtt_broker import mqtt_broker
from usage_platform_tests.core.samples.oracle import expected_readings
from usage_platform_tests.topics import renew_sample_topics, until

pytestmark = pytest.mark.kafka

BEGIN = pd.Timestamp.now(tz="UTC").floor("h") - pd.Timedelta(hours=3)
MINUTES = 60
LIMITS = EventLimits(event_bytes=1_000)
DESCRIBED = parse_descriptions(
    {
        "meters": [
            {
                "name": "plug",
                "samples": {
                    "path": "$.ENERGY.Total",
                    "time_path": "$.Time",
                    "quantity": "register",
                    "unit": "kWh",
                },
            },
            {
                "name": "clamp",
                "samples": {
                    "path": "$.apower",
                    "time_path": "$.ts",
                    "quantity": "power",
                    "unit": "W",
                    "max_gap": 30,
                },
            },
            {
                "name": "p1",
                "samples": {
                    "path": ["$.total_power_import_t1_kwh", "$.total_power_import_t2_kwh"],
                    "time_path": "$.timestamp",
                    "quantity": "register",
                    "unit": "kWh",
                },
            },
        ]
    }
)
METERS = sample_descriptions(DESCRIBED)
REGISTRY = MeterRegistry(known={name: Meter(name, "Asia/Kolkata", 5) for name in METERS})


def samples():
    """What the three devices measure: every 10 seconds, on change, and every half minute."""
    second = pd.Timedelta(seconds=1)
    plug = [(BEGIN + 10 * n * second, round(20 + 0.003 * n, 3)) for n in range(6 * MINUTES)]
    clamp = [(BEGIN + 411 * n * second, 250.0 * (n % 4)) for n in range(60 * MINUTES // 411)]
    telegrams = [(BEGIN + 30 * n * second, 900.0 + 0.0625 * n) for n in range(2 * MINUTES)]
    return {"plug": plug, "clamp": clamp, "p1": telegrams}


def payload(name, time, value):
    if name == "plug":
        return {"Time": time.isoformat(), "ENERGY": {"Total": value, "Power": 1}}
    if name == "clamp":
        return {"id": 0, "apower": value, "ts": time.timestamp()}
    tariffs = {"total_power_import_t1_kwh": f"{value - 300:.4f}", "total_power_import_t2_kwh": 300}
    return {"unique_id": "5c2faf", "timestamp": time.isoformat(), **tariffs}


def device_messages():
    rows = sorted((time, name, value) for name, own in samples().items() for time, value in own)
    return [(f"tele/{name}/SENSOR", json.dumps(payload(name, t, v))) for t, name, v in rows]


@contextmanager
def publisher(port):
    client = Client(CallbackAPIVersion.VERSION2, client_id="devices", protocol=MQTTv311)
    client.connect("127.0.0.1", port)
    client.loop_start()

    def publish(messages):
        for topic, text in messages:
            client.publish(topic, text, qos=1).wait_for_publish(30)

    try:
        yield publish
    finally:
        client.disconnect()
        client.loop_stop()


class RunningCollector:
    """A collector in a thread, until it is stopped, or dies without a word."""

    def __init__(self, kafka, port):
        self.states = []
        self.stop = threading.Event()
        topics = TopicFilter("tele/+/SENSOR")
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
    expected = {}
    for name, own in samples().items():
        expected |= expected_readings(own, REGISTRY.get(name), METERS[name])
    assert found.keys() == expected.keys()
    assert {name for name, _ in found} == set(METERS)
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, rel=1e-9, abs=1e-9)


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
            until(lambda: second.collector.collected.samples >= len(messages) - third)
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
