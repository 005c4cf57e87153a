"""A transactional producer whose process ends at a place within a transaction."""

from typing import Any

from confluent_kafka import Producer

PLACES = ("before produce", "after produce", "after offsets", "after commit")


class KilledError(Exception):
    """In place of a kill: nothing of the process runs after it."""


def killed_at(place: str) -> type[Producer]:
    """The class of producers that are killed at one of `PLACES`."""

    class Killed(Producer):
        def begin_transaction(self) -> None:
            super().begin_transaction()
            self._stop_at("before produce")

        def send_offsets_to_transaction(self, *given: Any, **named: Any) -> None:
            self.flush(30)
            self._stop_at("after produce")
            super().send_offsets_to_transaction(*given, **named)

        def commit_transaction(self, *given: Any, **named: Any) -> None:
            self._stop_at("after offsets")
            super().commit_transaction(*given, **named)
            self._stop_at("after commit")

        def _stop_at(self, here: str) -> None:
            if here == place:
                raise KilledError

    return Killed
