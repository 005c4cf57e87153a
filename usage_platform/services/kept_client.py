"""A client of Kafka that the ticks of one process share: its connections and transactional id.

Belongs here: lending it to one tick at a time, and replacing it after a failure. Not here: what a
tick does with it.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.adapters.lake.reader import LakeReader


class ClientBusyError(RuntimeError):
    """Another tick of this process has the client."""


class Closable(Protocol):
    """What can be closed."""

    def close(self) -> None:
        """Close the connections."""
        ...


_Client = TypeVar("_Client", bound=Closable)


class KeptClient(Generic[_Client]):
    """One client for all ticks of a process.

    Args:
        make: Makes it from the brokers and the lake's tables.
    """

    def __init__(self, make: Callable[[KafkaSettings, LakeReader], _Client]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._client: _Client | None = None
        self._kafka: KafkaSettings | None = None

    @contextmanager
    def borrowed(self, kafka: KafkaSettings, reader: LakeReader) -> Generator[_Client]:
        """The client; after any failure it is closed, and the next tick makes a new one.

        Args:
            kafka: The brokers; other ones get a new client.
            reader: The lake's tables.

        Raises:
            ClientBusyError: When a tick that its caller has given up still has it.
        """
        if not self._lock.acquire(blocking=False):
            raise ClientBusyError
        try:
            if self._client is None or self._kafka != kafka:
                if self._client is not None:
                    self._client.close()
                self._client, self._kafka = self._make(kafka, reader), kafka
            try:
                yield self._client
            except BaseException:
                self._client.close()
                self._client = None
                raise
        finally:
            self._lock.release()
