"""A producer that stops its process within its second transaction, at a place.

Belongs here: where it stops, and writing and reading the note that it leaves. Not here: the stages
that produce with it (`scorer_to_cut`, `averager_to_cut`), killing them and judging what they left
(the rounds).
"""

import json
import os
import signal
from pathlib import Path
from typing import Any, ClassVar

from confluent_kafka import Message, Producer

from usage_platform_tests.tools.faults.history import Attempt

BEFORE_PRODUCE = "in the transaction, before produce"
AFTER_PRODUCE = "after produce, before send-offsets"
AFTER_OFFSETS = "after send-offsets, before commit"
AFTER_COMMIT = "after commit"
SHORT_TIMEOUT_MS = 5_000
"""Of a transaction that the broker is to give up while its process is suspended."""
PLACES = (BEFORE_PRODUCE, AFTER_PRODUCE, AFTER_OFFSETS, AFTER_COMMIT)
_STOPS_IN = 2
_FLUSH_SECONDS = 60.0


class StoppingProducer(Producer):
    """Stops its process at a place, with a note of what the broker has of the transaction.

    Attributes:
        topic: What the stage consumes.
        place: One of `PLACES`.
        note: The file of the note.
    """

    topic: ClassVar[str] = ""
    place: ClassVar[str] = ""
    note: ClassVar[Path] = Path()
    _transactions = 0
    _ends = 0

    def begin_transaction(self) -> None:
        super().begin_transaction()
        self._transactions += 1
        self._begins, self._places = self._ends, []
        self._stop_at(BEFORE_PRODUCE)

    def produce(self, topic: str, *rest: Any, **named: Any) -> None:
        super().produce(topic, *rest, **{**named, "on_delivery": self._delivered})

    def send_offsets_to_transaction(self, positions: list[Any], *rest: Any, **named: Any) -> None:
        [self._ends] = [position.offset for position in positions if position.topic == self.topic]
        self._stop_at(AFTER_PRODUCE)
        super().send_offsets_to_transaction(positions, *rest, **named)

    def commit_transaction(self, *rest: Any, **named: Any) -> None:
        self._stop_at(AFTER_OFFSETS)
        super().commit_transaction(*rest, **named)
        self._stop_at(AFTER_COMMIT)

    def _delivered(self, error: object, message: Message) -> None:
        if error is None:
            self._places.append((message.topic(), message.partition(), message.offset()))

    def _stop_at(self, place: str) -> None:
        if place != self.place or self._transactions != _STOPS_IN:
            return
        # So that the broker has the records, and the note knows where.
        self.flush(_FLUSH_SECONDS)
        said = {
            "places": self._places,
            "begins": self._begins,
            "ends": self._ends,
            "committed": place == AFTER_COMMIT,
        }
        part = self.note.with_suffix(".part")
        part.write_text(json.dumps(said), "utf-8")
        part.replace(self.note)
        os.kill(os.getpid(), signal.SIGSTOP)


def attempt_in(note: Path) -> Attempt:
    """The transaction that a stopped process has left a note of."""
    said = json.loads(note.read_text("utf-8"))
    places = frozenset((topic, partition, offset) for topic, partition, offset in said["places"])
    return Attempt(places, said["begins"], said["ends"], said["committed"])
