"""A server that drips its answer holds an alert no longer than the deadline."""

import socket
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from usage_platform.adapters.alert_sinks import http_post, mail, mqtt
from usage_platform.adapters.alert_sinks.deadline import deadline
from usage_platform.adapters.alert_sinks.mail import MailSink
from usage_platform.adapters.alert_sinks.mqtt import MqttSink
from usage_platform.adapters.alert_sinks.webhook import WebhookSink
from usage_platform.core.alerts.addresses import Server
from usage_platform.core.alerts.alert import DeliveryError
from usage_platform.core.alerts.alert_texts import trial_alert
from usage_platform.core.meters import Meter

NOW = datetime(2024, 3, 5, 18, tzinfo=UTC)
ALERT = trial_alert(Meter(), NOW)
LONG = 120.0


@contextmanager
def dripping(start: bytes, drip: bytes):
    """A server that says something, and then the same little thing for ever."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while not ended.is_set():
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=drip_to, args=(client,), daemon=True).start()

        def drip_to(client):
            with client:
                try:
                    client.sendall(start)
                    while not ended.wait(0.05):
                        client.sendall(drip)
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        ended.set()
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def webhook(port, tls):
    return WebhookSink(f"http{'s' if tls else ''}://127.0.0.1:{port}/x", "")


def mailbox(port, tls):
    return MailSink(Server("127.0.0.1", port, tls, "", ""), "a@b.c", ("a@b.c",))


def topic(port, tls):
    return MqttSink(Server("127.0.0.1", port, tls, "", ""), "t")


# The head of a TLS record of 16 KB, of which the rest never comes.
_RECORD = b"\x16\x03\x03\x40\x00"
_CASES = {
    "http, in its status": (webhook, False, b"HTTP/1.1 2", b"0"),
    "https, in its greeting": (webhook, True, _RECORD, b"\x02"),
    "mail, in its greeting": (mailbox, False, b"220-a\r\n", b"220-b\r\n"),
    "mail, with TLS": (mailbox, True, _RECORD, b"\x02"),
    "mqtt, with TLS": (topic, True, _RECORD, b"\x02"),
}


@pytest.mark.parametrize("case", _CASES)
def test_an_answer_that_never_ends_is_given_up_at_the_deadline(monkeypatch, case):
    sink, tls, start, drip = _CASES[case]
    for module in (http_post, mail, mqtt):
        monkeypatch.setattr(module, "TOTAL_SECONDS", 1.0)
    threads = threading.active_count()
    begun = time.monotonic()
    with dripping(start, drip) as port:
        with pytest.raises(DeliveryError, match="no complete answer within 1 s") as caught:
            sink(port, tls).deliver(ALERT, NOW)
        assert not caught.value.lasting
        # Without the deadline it would never return; a slow machine has time.
        assert time.monotonic() - begun < LONG
    assert threading.active_count() <= threads + 1


def test_a_status_counts_though_its_headers_never_end():
    """The server has taken the alert: a repetition would double it."""
    begun = time.monotonic()
    with dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x") as port:
        webhook(port, tls=False).deliver(ALERT, NOW)
    assert time.monotonic() - begun < LONG


def test_what_ends_in_time_is_left_alone():
    with deadline(LONG) as limit:
        assert not limit.has_passed
    with pytest.raises(ValueError, match="its own"), deadline(LONG):
        raise ValueError("its own")
