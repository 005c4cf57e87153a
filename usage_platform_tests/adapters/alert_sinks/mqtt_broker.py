"""A real broker of MQTT on this machine, with somebody who listens; and one that takes nothing.

Belongs here: the two of them. Not here: the tests.

The real one is rumqttd, which comes as a Python package. Whom it refuses it does not answer, as
MQTT lets a broker do, and it asks no client for a certificate: that is the second one's part.
"""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from iotcore import Broker
from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from trustme import CA

TOPICS = "usage/#"
_SECONDS = 30
_CONNECTIONS = """
[{section}.connections]
connection_timeout_ms = 60000
max_payload_size = 20480
max_inflight_count = 100
"""


class MqttBroker:
    """A broker that runs.

    Attributes:
        port: Its port.
        heard: The payloads that its listener got, in their order.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.heard: list[bytes] = []
        self._came = threading.Semaphore(0)

    def take(self, payload: bytes) -> None:
        self.heard.append(payload)
        self._came.release()

    def wait(self, messages: int) -> list[bytes]:
        """What its listener got, once it has got so many more."""
        for _ in range(messages):
            assert self._came.acquire(timeout=_SECONDS)
        return self.heard


@contextmanager
def mqtt_broker(
    folder: Path,
    port: int,
    listener_port: int,
    password: str = "",
    authority: CA | None = None,
) -> Iterator[MqttBroker]:
    """A broker, and a listener on a plain port of its own.

    Args:
        folder: For its configuration.
        port: Where it takes alerts.
        listener_port: Where its listener gets them.
        password: What it asks the user `user` for.
        authority: Whose certificate it shows.
    """
    config = folder / "broker.toml"
    config.write_text(_config(folder, port, listener_port, password, authority))
    broker = MqttBroker(port)
    with Broker(config_path=str(config)), _listener(listener_port, broker):
        yield broker


def _config(
    folder: Path, port: int, listener_port: int, password: str, authority: CA | None
) -> str:
    router = "id = 0\n[router]\nid = 0\nmax_connections = 99\nmax_outgoing_packet_count = 99\n"
    text = router + "max_segment_size = 10485760\nmax_segment_count = 10\n"
    for number, at in enumerate((port, listener_port)):
        section = f"v4.{number}"
        text += f'[{section}]\nname = "{number}"\nlisten = "127.0.0.1:{at}"\n'
        text += "next_connection_delay_ms = 1\n" + _CONNECTIONS.format(section=section)
        if at == port and password:
            text += f'[{section}.connections.auth]\nuser = "{password}"\n'
        if at == port and authority:
            files = _certificates(folder, authority)
            text += f"[{section}.tls]\n" + "".join(f'{k} = "{v}"\n' for k, v in files.items())
    return text


def _certificates(folder: Path, authority: CA) -> dict[str, Path]:
    own = authority.issue_cert("127.0.0.1")
    files = {name: folder / f"broker-{name}.pem" for name in ("certpath", "keypath")}
    files["certpath"].write_bytes(b"".join(part.bytes() for part in own.cert_chain_pems))
    own.private_key_pem.write_to_path(files["keypath"])
    return files


@contextmanager
def _listener(port: int, broker: MqttBroker) -> Iterator[None]:
    is_heard = threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv311)
    client.on_connect = lambda client, *_: client.subscribe(TOPICS, 1)
    client.on_subscribe = lambda *_: is_heard.set()
    client.on_message = lambda client, data, message: broker.take(message.payload)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        assert is_heard.wait(_SECONDS)
        yield
    finally:
        client.disconnect()
        client.loop_stop()


@contextmanager
def unwilling_broker(
    code: int, stays: bool = False, tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    """A broker that lets a client in, or not, and confirms nothing; its port.

    Args:
        code: What it answers to a connection; 0 lets it in.
        stays: It keeps the connection; else it closes it when something is published.
        tls: How it speaks TLS; None for not at all.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            client, _ = server.accept()
            with suppress(OSError), _wrapped(client, tls) as client:
                client.recv(4096)
                client.sendall(bytes((0x20, 2, 0, code)))
                client.recv(4096)
                if stays:
                    client.recv(4096)

        thread = threading.Thread(target=talk)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def _wrapped(client: socket.socket, tls: ssl.SSLContext | None) -> socket.socket:
    return tls.wrap_socket(client, server_side=True) if tls else client
