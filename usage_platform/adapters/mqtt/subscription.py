"""A subscription at a broker of MQTT, whose messages are acknowledged one by one.

Belongs here: the connection, its reconnections, and acknowledgements. Not here: what is done with
the messages (`services.collect_samples`), addresses (`core.alerts.addresses`).

MQTT 3.1.1, which every broker speaks, at quality of service 1. The session is kept by the broker:
what it has not got an acknowledgement of, it sends again after a reconnection; how much it keeps
meanwhile is its own setting. Not thread-safe; nothing happens outside of calls.
"""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from usage_platform.adapters.mqtt.tls import trusted_context

if TYPE_CHECKING:
    from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

_KEEPALIVE_SECONDS = 30
_TIMEOUT_SECONDS = 5.0
_FIRST_WAIT_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 30.0
_AT_LEAST_ONCE = 1
_UNAVAILABLE = 136
"""The one refusal that may pass, as paho numbers them all by MQTT 5's table of reason codes."""


class SubscriptionError(RuntimeError):
    """The broker refuses for good; one line with the reason, and without the password."""


class Place(NamedTuple):
    """Which message an acknowledgement is for: its number, in one connection."""

    connection: int
    number: int


class Published(NamedTuple):
    """A message.

    Attributes:
        topic: Its topic.
        payload: Its content.
        received: When it came, seconds since 1970.
        place: To acknowledge it; None where that is not possible (quality of service 0).
    """

    topic: str
    payload: bytes
    received: float
    place: Place | None


@dataclass(frozen=True)
class BrokerAddress:
    """How a broker is reached.

    Attributes:
        host: Its name.
        port: Its port.
        tls: Encrypted.
        user: Empty to sign in as nobody.
        password: The user's.
        certificate: A file with the client's certificate and its key, PEM; None for none.
    """

    host: str
    port: int
    tls: bool = False
    user: str = ""
    password: str = ""
    certificate: Path | None = None

    def __repr__(self) -> str:
        return f"{self.host}:{self.port}"


class MqttSubscription:
    """A subscription that is connected again whenever the connection breaks.

    Args:
        broker: The broker.
        topic: What is subscribed to, with wildcards.
        client_id: By which the broker knows the session; one at a time may use it.
        on_message: Called with each message, within `poll`.
        on_state: Called with a line when the connection breaks, and with "" when it works.
    """

    def __init__(
        self,
        broker: BrokerAddress,
        topic: str,
        client_id: str,
        on_message: Callable[[Published], None],
        on_state: Callable[[str], None],
    ) -> None:
        self._broker = broker
        self._topic = topic
        self._client_id = client_id
        self._on_message = on_message
        self._on_state = on_state
        self._client: Client | None = None
        self._connection = 0
        self._refusal = ""
        self._is_subscribed = False
        self._wait = _FIRST_WAIT_SECONDS
        self._next_try = 0.0

    def poll(self, seconds: float, reads: bool = True) -> None:
        """Receive what comes, and keep the connection.

        Args:
            seconds: For how long to wait.
            reads: Whether to receive messages; else only what keeps the connection is done.

        Raises:
            SubscriptionError: When the broker refuses for good.
            CertificateError: When the client's certificate cannot be read.
        """
        if self._client is None:
            if time.monotonic() < self._next_try:
                time.sleep(min(seconds, max(self._next_try - time.monotonic(), 0.0)))
                return
            self._connect()
        if self._client is not None:
            code = self._client.loop(seconds) if reads else self._client.loop_misc()
            if self._refusal:
                raise SubscriptionError(f"MQTT at {self._broker!r} {self._refusal}")
            if code:
                self._broke("closed the connection; does another one collect with this client id?")

    def acknowledge(self, place: Place) -> None:
        """Tell the broker that a message need not be sent again; nothing after a reconnection."""
        if self._client is not None and place.connection == self._connection:
            self._client.ack(place.number, _AT_LEAST_ONCE)

    def close(self) -> None:
        """Disconnect; the broker keeps the session."""
        if self._client is not None:
            self._client.disconnect()
            self._client = None

    def _connect(self) -> None:
        self._is_subscribed = False
        self._connection += 1
        client = self._new_client()
        try:
            client.connect(self._broker.host, self._broker.port, keepalive=_KEEPALIVE_SECONDS)
        except ssl.SSLError:
            self._broke("has a certificate that is not trusted here, or speaks no TLS")
        except OSError:
            self._broke("cannot be reached")
        else:
            self._client = client

    def _broke(self, reason: str) -> None:
        self._client = None
        self._on_state(f"MQTT at {self._broker!r} {reason}; trying again")
        if self._is_subscribed:
            self._wait = _FIRST_WAIT_SECONDS
        self._next_try = time.monotonic() + self._wait
        self._wait = min(2 * self._wait, _LONGEST_WAIT_SECONDS)

    def _new_client(self) -> "Client":
        from paho.mqtt.client import Client, MQTTv311
        from paho.mqtt.enums import CallbackAPIVersion

        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            clean_session=False,
            protocol=MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = _TIMEOUT_SECONDS
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_message = self._came
        if self._broker.user:
            client.username_pw_set(self._broker.user, self._broker.password)
        if self._broker.tls:
            client.tls_set_context(trusted_context(self._broker.certificate))
        return client

    def _connected(
        self, client: "Client", data: object, flags: "ConnectFlags", code: "ReasonCode", _: object
    ) -> None:
        if not code.is_failure:
            client.subscribe(self._topic, _AT_LEAST_ONCE)
        elif code.value != _UNAVAILABLE:
            self._refusal = f"refuses the connection: {code}"

    def _subscribed(
        self, client: "Client", data: object, number: int, codes: "list[ReasonCode]", _: object
    ) -> None:
        if any(code.is_failure for code in codes):
            self._refusal = f"refuses the subscription to {self._topic}: may this client subscribe?"
            return
        self._is_subscribed = True
        self._on_state("")

    def _came(self, client: "Client", data: object, message: "MQTTMessage") -> None:
        place = Place(self._connection, message.mid) if message.qos == _AT_LEAST_ONCE else None
        if message.retain:
            # What the broker kept from before this subscription: its time is not now.
            if place is not None:
                self.acknowledge(place)
            return
        self._on_message(Published(message.topic, bytes(message.payload), time.time(), place))
