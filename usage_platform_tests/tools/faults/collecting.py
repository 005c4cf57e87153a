"""Devices, a broker of MQTT that is killed, and `usage-platform collect` between it and Kafka.

Belongs here: these processes, and waiting until all that was measured is on `samples`. Not here:
what comes of it (`rounds_of_samples`).
"""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from usage_platform.adapters.kafka.topics import SAMPLES, KafkaSettings, end_offsets
from usage_platform_tests.services.simulated_devices import TOPICS, device_messages, publisher
from usage_platform_tests.tools.faults.background import Background
from usage_platform_tests.tools.faults.commands import command, environment
from usage_platform_tests.topics import SLOW_MACHINE_SECONDS, read_events, until

_SAYS_IT_COLLECTS = "collecting\n"
# Between two messages of the devices: an idle machine would send all before Kafka has a third.
_PAUSE_SECONDS = 0.02


class MqttProcess:
    """A broker of MQTT; a context manager that ends it.

    Args:
        folder: For its configuration.
        port: Its port.
        listener_port: Another one that it needs.
    """

    def __init__(self, folder: Path, port: int, listener_port: int) -> None:
        self.port = port
        self._given = (str(folder), str(port), str(listener_port))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "MqttProcess":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        module = "usage_platform_tests.tools.faults.mqtt_to_kill"
        self._process = subprocess.Popen((sys.executable, "-m", module, *self._given))
        until(self._answers)

    def kill(self) -> None:
        """Kill it: what it held is gone, the sessions of its clients too."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0


def collect_over_a_kill(kafka: KafkaSettings, folder: Path, broker: MqttProcess) -> float:
    """Have all that the devices measure collected; kill the broker in the middle.

    The devices send again what has not come to Kafka: a broker that keeps the sessions of its
    clients over its death would do so, and this one does not.

    Returns:
        When it was killed, monotonic seconds.
    """
    messages = device_messages()
    with _collector(kafka, folder, broker.port) as says:
        until(lambda: says(1))
        killed = threading.Event()

        def publish_until_killed() -> None:
            with publisher(broker.port, patience=1.0) as publish:
                for message in messages:
                    if killed.wait(_PAUSE_SECONDS):
                        return
                    publish([message])

        devices = Background(publish_until_killed)
        until(lambda: _collected(kafka) >= len(messages) // 3 or devices.is_over, 0.005)
        assert not devices.is_over, "all was collected before the broker was killed"
        broker.kill()
        began = time.monotonic()
        killed.set()
        devices.join()
        broker.start()
        until(lambda: says(2))
        there = {message.value() for message in read_events(kafka, SAMPLES)}
        rest = [one for one in messages if one[1].encode() not in there]
        with publisher(broker.port) as publish:
            publish(rest)
        last = rest[-1][1].encode()
        until(lambda: last in {message.value() for message in read_events(kafka, SAMPLES)})
    return began


def _collected(kafka: KafkaSettings) -> int:
    return end_offsets(kafka, SAMPLES)[0][1]


@contextmanager
def _collector(kafka: KafkaSettings, folder: Path, port: int) -> Iterator["_Says"]:
    """The command, until the end of the block."""
    options = ("--mqtt", f"mqtt://127.0.0.1:{port}", "--topic", TOPICS)
    words, env = command(folder, "collect", *options), environment(kafka)
    log = folder / "collect.log"
    with log.open("wb") as out:
        process = subprocess.Popen(words, env=env, stdout=out, stderr=out)
    try:
        yield _Says(log)
        process.terminate()
        assert process.wait(SLOW_MACHINE_SECONDS) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


class _Says:
    """Whether the collector has said so many times that it collects."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def __call__(self, times: int) -> bool:
        return self._log.read_text().count(_SAYS_IT_COLLECTS) >= times
