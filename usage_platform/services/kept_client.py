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
        make: Makes it from the brokers, the lake's tables and what else it needs.
    """

    def __init__(self, make: Callable[..., _Client]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._client: _Client | None = None
        self._made_from: tuple[object, ...] = ()

    @contextmanager
    def borrowed(
        self, kafka: KafkaSettings, reader: LakeReader, *more: object
    ) -> Generator[_Client]:
        """The client; after any failure it is closed, and the next tick makes a new one.

        Args:
            kafka: The brokers; other ones get a new client.
            reader: The lake's tables.
            more: What else it needs; another one gets a new client too.

        Raises:
            ClientBusyError: When a tick that its caller has given up still has it.
        """
        if not self._lock.acquire(blocking=False):
            raise ClientBusyError
        try:
            if self._client is None or self._made_from != (kafka, *more):
                self._end()
                self._client = self._make(kafka, reader, *more)
                self._made_from = kafka, *more
            try:
                yield self._client
            except BaseException:
                self._end()
                raise
        finally:
            self._lock.release()

    def _end(self) -> None:
        # Forgotten first: one that fails to close must not be lent again.
        client, self._client = self._client, None
        if client is not None:
            client.close()
