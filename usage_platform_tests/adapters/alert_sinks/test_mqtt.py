"""Alerts to a real broker of MQTT: what arrives, and what is said when it is not confirmed."""

import json
import ssl
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import trustme

from usage_platform.adapters.alert_sinks import mqtt
from usage_platform.adapters.alert_sinks.mqtt import MqttSink
from usage_platform.core.alerts.addresses import Server
from usage_platform.core.alerts.alert import Alert, AlertState, DeliveryError, Standing
from usage_platform_tests.adapters.alert_sinks.mqtt_broker import mqtt_broker, unwilling_broker

NOW = datetime(2024, 3, 5, 18, tzinfo=UTC)
ALERT = Alert(
    key="Café/2024-03-05T17:00Z:opened",
    standing=Standing(AlertState.OPENED),
    meter="Café",
    episode="2024-03-05T17:00Z",
    severity="high",
    title="Café: surge since 12:00 (high)",
    text="Since Tue 5 Mar 2024, 12:00 EST.",
    event={"status": "opened"},
)
TOPIC = "usage/alerts"


def sink(port, tls=False, password="", certificate=None):
    user = "user" if password else ""
    return MqttSink(Server("127.0.0.1", port, tls, user, password), TOPIC, certificate)


@pytest.fixture
def authority(tmp_path, monkeypatch) -> trustme.CA:
    """One that this machine trusts."""
    found = trustme.CA()
    found.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return found


def test_who_listens_gets_each_alert_as_json(unused_port, tmp_path):
    closed = replace(ALERT, key="other:closed")
    with mqtt_broker(tmp_path, unused_port(), unused_port()) as broker:
        for alert in (ALERT, ALERT, closed):
            sink(broker.port).deliver(alert, NOW)
        heard = [json.loads(payload) for payload in broker.wait(3)]
    assert heard == [ALERT.as_json(), ALERT.as_json(), closed.as_json()]


def test_a_password_goes_over_an_encrypted_line_to_a_trusted_broker(
    unused_port, tmp_path, authority, monkeypatch
):
    ports = unused_port(), unused_port()
    with mqtt_broker(tmp_path, *ports, "geheim", authority) as broker:
        sink(broker.port, tls=True, password="geheim").deliver(ALERT, NOW)
        assert len(broker.wait(1)) == 1
        for password in ("wrong", ""):
            with pytest.raises(DeliveryError, match="broke off before it confirmed") as raised:
                sink(broker.port, tls=True, password=password).deliver(ALERT, NOW)
            assert not raised.value.lasting
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(DeliveryError, match="certificate is not trusted"):
            sink(broker.port, tls=True, password="geheim").deliver(ALERT, NOW)
        assert len(broker.heard) == 1


def test_a_broker_that_asks_for_a_certificate_gets_it(tmp_path, authority):
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tmp_path / "ca.pem")
    tls.verify_mode = ssl.CERT_REQUIRED
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    own, strange = tmp_path / "own.pem", tmp_path / "strange.pem"
    for one, path in ((authority, own), (trustme.CA(), strange)):
        one.issue_cert("me@example.org").private_key_and_cert_chain_pem.write_to_path(path)
    # Only whom it knows does it answer at all.
    for certificate, words in (
        (own, "Not authorized"),
        (strange, "broke off"),
        (None, "broke off"),
    ):
        with unwilling_broker(5, tls=tls) as port, pytest.raises(DeliveryError, match=words):
            sink(port, tls=True, certificate=certificate).deliver(ALERT, NOW)


@pytest.mark.parametrize(
    ("code", "words", "lasting"),
    [
        (3, "refuses the connection: Server unavailable", False),
        (4, "refuses the connection: Bad user name or password", True),
        (5, "refuses the connection: Not authorized", True),
    ],
)
def test_a_refusal_is_told_and_whether_it_may_pass(code, words, lasting):
    with (
        unwilling_broker(code) as port,
        pytest.raises(DeliveryError, match=words) as raised,
    ):
        sink(port).deliver(ALERT, NOW)
    assert raised.value.lasting is lasting


@pytest.mark.parametrize(("stays", "words"), [(True, "no answer within"), (False, "broke off")])
def test_what_is_sent_and_not_confirmed_is_not_delivered(monkeypatch, stays, words):
    monkeypatch.setattr(mqtt, "_TIMEOUT_SECONDS", 1)
    with unwilling_broker(0, stays) as port, pytest.raises(DeliveryError, match=words) as raised:
        sink(port).deliver(ALERT, NOW)
    assert not raised.value.lasting


def test_a_broker_that_is_away_may_come_back_and_no_secret_is_told(unused_port):
    away = sink(unused_port(), password="geheim")
    with pytest.raises(DeliveryError, match="cannot be reached") as raised:
        away.deliver(ALERT, NOW)
    assert not raised.value.lasting
    assert "geheim" not in repr(away)


def test_a_certificate_that_cannot_be_read_is_told(unused_port, tmp_path):
    (tmp_path / "own.pem").write_text("no certificate")
    with pytest.raises(DeliveryError, match="expected both in one PEM file") as raised:
        sink(unused_port(), tls=True, certificate=tmp_path / "own.pem").deliver(ALERT, NOW)
    assert raised.value.lasting
