"""Alerts to a broker of MQTT, for Home Assistant, Node-RED, AWS IoT and others.

Belongs here: the talk with the broker. Not here: addresses (`core.alerts.addresses`).

MQTT 3.1.1, which every broker speaks. Quality of service 1: the broker confirms (PUBACK) that it
has taken an alert. Each alert has a connection of its own, as there are few of them.
"""

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from usage_platform.adapters.alert_sinks.deadline import Deadline, deadline
from usage_platform.adapters.mqtt.tls import CertificateError, trusted_context
from usage_platform.core.alerts.addresses import Server
from usage_platform.core.alerts.alert import Alert, DeliveryError

if TYPE_CHECKING:
    from paho.mqtt.client import Client
    from paho.mqtt.reasoncodes import ReasonCode

CLIENT_ID = "usage-platform-alerts"
"""What the broker knows this client by; its rules may name it."""

_TIMEOUT_SECONDS = 5
TOTAL_SECONDS = 15.0
"""For all of the talk, however slowly the broker answers."""

_NO_ANSWER = f"no answer within {_TIMEOUT_SECONDS} s"
_AT_LEAST_ONCE = 1
_UNAVAILABLE = 136
"""The one refusal that may pass, as paho numbers them all by MQTT 5's table of reason codes."""


@dataclass
class _Answers:
    """What the broker has said.

    Attributes:
        code: Whether it lets this client in, as its CONNACK says; None before that.
        confirmed: Whether a PUBACK came.
    """

    code: "ReasonCode | None" = None
    confirmed: bool = False


@dataclass(frozen=True)
class MqttSink:
    """A topic of a broker.

    Attributes:
        server: The broker.
        topic: The topic's name.
        certificate: A file with the client's certificate and its key, PEM; None for none.
    """

    server: Server
    topic: str
    certificate: Path | None = None
    name: str = "mqtt"

    def deliver(self, alert: Alert, now: datetime) -> None:
        """Publish an alert as JSON, and wait until the broker has confirmed it.

        Raises:
            DeliveryError: When it was not confirmed.
        """
        del now
        payload = json.dumps(alert.as_json(), separators=(",", ":")).encode()
        answers = _Answers()
        with deadline(TOTAL_SECONDS) as limit:
            client = self._client(answers, limit)
            with _told():
                # TLS has to be agreed on within the interval of keeping alive.
                client.connect(self.server.host, self.server.port, keepalive=_TIMEOUT_SECONDS)
            try:
                _talk(client, lambda: answers.code is not None)
                _check(answers)
                client.publish(self.topic, payload, _AT_LEAST_ONCE)
                _talk(client, lambda: answers.confirmed)
            finally:
                client.disconnect()

    def _client(self, answers: _Answers, limit: Deadline) -> "Client":
        from paho.mqtt.client import Client, MQTTv311
        from paho.mqtt.enums import CallbackAPIVersion

        def on_connect(
            client: Client, data: object, flags: object, code: "ReasonCode", properties: object
        ) -> None:
            answers.code = code

        def on_publish(
            client: Client, data: object, number: int, code: object, properties: object
        ) -> None:
            answers.confirmed = True

        class WatchedClient(Client):
            """A client whose connection ends at the deadline, while TLS is agreed on too."""

            def _create_socket_connection(self) -> socket.socket:
                connection = super()._create_socket_connection()
                limit.watch(connection)
                return connection

        client = WatchedClient(
            CallbackAPIVersion.VERSION2,
            client_id=CLIENT_ID,
            clean_session=False,
            protocol=MQTTv311,
            reconnect_on_failure=False,
        )
        client.connect_timeout = _TIMEOUT_SECONDS
        client.on_connect = on_connect
        client.on_publish = on_publish
        if self.server.user:
            client.username_pw_set(self.server.user, self.server.password)
        if self.server.tls:
            client.tls_set_context(self._trusted())
        return client

    def _trusted(self) -> ssl.SSLContext:
        try:
            return trusted_context(self.certificate)
        except CertificateError as error:
            raise DeliveryError(str(error), lasting=True) from None


def _talk(client: "Client", is_done: Callable[[], bool]) -> None:
    """Send and receive until it is done.

    Raises:
        DeliveryError: When that takes too long, or the broker ends it.
    """
    ends = time.monotonic() + _TIMEOUT_SECONDS
    while not is_done():
        left = ends - time.monotonic()
        if left <= 0:
            raise DeliveryError(_NO_ANSWER)
        # A broker may tell so that it refuses the password, the certificate or the topic.
        if client.loop(left) and not is_done():
            raise DeliveryError("broke off before it confirmed anything; may this client publish?")


def _check(answers: _Answers) -> None:
    """Check whether the broker lets this client in.

    Raises:
        DeliveryError: When it does not.
    """
    code = answers.code
    if code is not None and code.is_failure:
        raise DeliveryError(f"refuses the connection: {code}", code.value != _UNAVAILABLE)


@contextmanager
def _told() -> Iterator[None]:
    """Tell what keeps a connection from being made.

    Raises:
        DeliveryError: In place of what sockets raise.
    """
    try:
        yield
    except ssl.SSLError:
        raise DeliveryError("its certificate is not trusted here, or it speaks no TLS") from None
    except TimeoutError:
        raise DeliveryError(_NO_ANSWER) from None
    except OSError:
        raise DeliveryError("cannot be reached") from None
