"""A broker and a Spark service that are killed, stopped and started again on their own folders.

Belongs here: the services' processes. Not here: where they are killed (the rounds).
"""

import os
import signal
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.spark.session import spark_conf
from usage_platform.local.broker import broker_service
from usage_platform.local.jars import JarFolders
from usage_platform.local.java import JavaHome
from usage_platform.local.pid import session_members
from usage_platform.local.ports import PortClaims
from usage_platform.local.process import ChildProcess, Service
from usage_platform.local.spark_service import SparkEndpoint, spark_service

_PORT, _CONTROLLER_PORT, _SPARK_PORT, _OTHER_PORTS = 29092, 29093, 25002, 27000
_SLOW_START_S = 300.0

Entered = TypeVar("Entered")


def _quiet(_: str) -> None:
    """Rounds say what came of them, not how services start."""


class RunningService:
    """A service as its supervisor keeps it, for all that can happen to it."""

    def __init__(self, service: Service) -> None:
        self._child = ChildProcess(replace(service, start_timeout=_SLOW_START_S))
        self._helpers: set[int] = set()

    def start(self) -> None:
        """Start it, after what is left of it is gone, and wait until it answers."""
        self._child.stop()
        self._child.start()
        self._child.wait_ready(_quiet)

    def look(self) -> None:
        """Learn which helpers it has now, so that a signal reaches them at once."""
        assert self._child.pid
        self._helpers = set(session_members(self._child.pid)) - {self._child.pid}

    def send(self, number: signal.Signals) -> None:
        """Send a signal to all its processes, to the service itself and known helpers at once."""
        assert self._child.pid
        os.kill(self._child.pid, number)
        reached = self._helpers
        self._send_to(reached, number)
        self.look()
        self._send_to(self._helpers - reached, number)

    @staticmethod
    def _send_to(helpers: Iterable[int], number: signal.Signals) -> None:
        for pid in helpers:
            # A service ends its helpers when it likes.
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self) -> None:
        """Stop it for good."""
        self._child.stop()


class Services:
    """The services of the rounds; a context manager that stops them all at its end.

    Args:
        java: Runs them.
        jars: What they need.
        folder: Where they keep what is theirs.
        lake: Where Spark writes; in the folder where it is None.
    """

    def __init__(
        self, java: JavaHome, jars: JarFolders, folder: Path, lake: Lake | None = None
    ) -> None:
        self.folder = folder
        self.lake = lake or Lake(str(folder / "lake"))
        self._java = java
        self._jars = jars
        self._ports = PortClaims()
        self._stack = ExitStack()
        self._asked = 0

    def __enter__(self) -> Self:
        self._stack.callback(self._ports.release)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @cached_property
    def kafka(self) -> KafkaSettings:
        """The broker's address; it need not run just now."""
        return KafkaSettings(f"127.0.0.1:{self._ports.take(_PORT, 'kafka', _quiet)}")

    @cached_property
    def broker(self) -> RunningService:
        """The broker, started when it is first asked for."""
        port = int(self.kafka.bootstrap.rpartition(":")[2])
        controller = self._ports.take(_CONTROLLER_PORT, "kafka controller", _quiet)
        folder = self.folder / "broker"
        return self._started(
            broker_service(self._java, self._jars.kafka, folder, os.environ, port, controller)
        )

    @cached_property
    def _spark_endpoint(self) -> SparkEndpoint:
        return SparkEndpoint(self._ports.take(_SPARK_PORT, "spark", _quiet))

    @property
    def spark_url(self) -> str:
        """Spark's address; it need not run just now."""
        return self._spark_endpoint.url

    @cached_property
    def spark(self) -> RunningService:
        """The Spark service, started when it is first asked for."""
        conf, folder = spark_conf(self.lake), self.folder / "spark"
        return self._started(
            spark_service(
                self._java, self._jars.spark, folder, os.environ, self._spark_endpoint, conf
            )
        )

    def ask_port(self) -> int:
        """A port for a service that is not one of these."""
        self._asked += 1
        return self._ports.take(_OTHER_PORTS + self._asked, "platform", _quiet)

    def enter(self, context: AbstractContextManager[Entered]) -> Entered:
        """Enter a context that is left when the services are stopped."""
        return self._stack.enter_context(context)

    def _started(self, service: Service) -> RunningService:
        running = RunningService(service)
        self._stack.callback(running.stop)
        running.start()
        return running
