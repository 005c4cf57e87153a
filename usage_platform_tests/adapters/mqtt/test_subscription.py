"""A subscription at a broker of MQTT: what ends it, what it waits for, and what it leaves out."""

import pytest
from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from usage_platform.adapters.mqtt import subscription as module
from usage_platform.adapters.mqtt.subscription import (
    BrokerAddress,
    MqttSubscription,
    SubscriptionError,
)
from usage_platform.adapters.mqtt.tls import CertificateError
from usage_platform_tests.adapters.alert_sinks.mqtt_broker import mqtt_broker, unwilling_broker
from usage_platform_tests.topics import until


def subscription(broker, came, states):
    return MqttSubscription(broker, "tele/+/SENSOR", "collector", came.append, states.append)


@pytest.mark.parametrize(
    ("code", "words"), [(4, "Bad user name or password"), (5, "Not authorized")]
)
def test_a_broker_that_refuses_for_good_ends_it_in_one_line(code, words):
    with unwilling_broker(code) as port:
        broker = BrokerAddress("127.0.0.1", port, user="me", password="geheim")
        one = subscription(broker, [], [])
        with pytest.raises(SubscriptionError, match=rf"^MQTT at [^\n]+{words}$") as raised:
            until(lambda: one.poll(0.1))
        one.close()
    assert "geheim" not in str(raised.value) + repr(broker)


def test_a_broker_that_is_away_is_waited_for(unused_port, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_FIRST_WAIT_SECONDS", 0.05)
    port, came, states = unused_port(), [], []
    one = subscription(BrokerAddress("127.0.0.1", port), came, states)
    one.poll(0)
    assert states == [f"MQTT at 127.0.0.1:{port} cannot be reached; trying again"]
    with mqtt_broker(tmp_path, port, unused_port()):
        until(lambda: one.poll(0.01) or states[-1] == "")
        one.close()


def test_what_the_broker_kept_from_before_is_left_out(unused_port, tmp_path):
    came, states = [], []
    with mqtt_broker(tmp_path, unused_port(), unused_port()) as broker:
        device = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv311)
        device.connect("127.0.0.1", broker.port)
        device.loop_start()
        device.publish("tele/old/SENSOR", "1", qos=1, retain=True).wait_for_publish(30)
        one = subscription(BrokerAddress("127.0.0.1", broker.port), came, states)
        until(lambda: one.poll(0.01) or "" in states)
        device.publish("tele/new/SENSOR", "2", qos=1).wait_for_publish(30)
        until(lambda: one.poll(0.01) or any(m.topic == "tele/new/SENSOR" for m in came))
        one.close()
        device.disconnect()
        device.loop_stop()
    assert [(m.topic, m.payload) for m in came] == [("tele/new/SENSOR", b"2")]


def test_a_certificate_that_cannot_be_read_ends_it(tmp_path):
    path = tmp_path / "own.pem"
    path.write_text("no certificate")
    broker = BrokerAddress("127.0.0.1", 1, tls=True, certificate=path)
    with pytest.raises(CertificateError, match="expected both in one PEM file"):
        subscription(broker, [], []).poll(0)
