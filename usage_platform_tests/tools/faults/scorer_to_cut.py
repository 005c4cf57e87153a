"""A scorer in a process of its own that stops itself within its second transaction.

Belongs here: the platform's own scorer on a producer that stops at a place. Not here: killing it
and judging what it left (`rounds_of_scorer`).

`python -m usage_platform_tests.tools.faults.scorer_to_cut BOOTSTRAP LAKE PLACE NOTE SCORERS`
"""

import json
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from confluent_kafka import Message, Producer

from usage_platform.adapters.kafka.topics import USAGE, KafkaSettings
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import Lake
from usage_platform.services import score as scoring
from usage_platform.services import score_transaction
from usage_platform.services.score_division import Division, Share
from usage_platform.services.score_fencing import ScorerFencedError
from usage_platform.services.score_meters import MeterClaims
from usage_platform_tests.tools.faults.judge_of_rounds import REGISTRY, timeline

BEFORE_PRODUCE = "in the transaction, before produce"
AFTER_PRODUCE = "after produce, before send-offsets"
AFTER_OFFSETS = "after send-offsets, before commit"
AFTER_COMMIT = "after commit"
PLACES = (BEFORE_PRODUCE, AFTER_PRODUCE, AFTER_OFFSETS, AFTER_COMMIT)
BATCH = 40
TRANSACTION_TIMEOUT_MS = 5_000
_STOPS_IN = 2
_FLUSH_SECONDS = 60.0


class StoppingProducer(Producer):
    """Stops its process at a place, with a note of what the broker has of the transaction."""

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
        super().produce(topic, *rest, on_delivery=self._delivered, **named)

    def send_offsets_to_transaction(self, positions: list[Any], *rest: Any, **named: Any) -> None:
        [self._ends] = [position.offset for position in positions if position.topic == USAGE]
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


def main() -> None:
    """Score what waits, in small batches; a scorer that was fenced ends with its line.

    Of several scorers it is the last one; the others begin the division and do nothing.
    """
    bootstrap, lake, StoppingProducer.place, note, scorers = sys.argv[1:]
    StoppingProducer.note = Path(note)
    score_transaction.Producer = StoppingProducer  # type: ignore[misc]
    score_transaction.TRANSACTION_TIMEOUT_MS = TRANSACTION_TIMEOUT_MS
    scoring._BATCH = BATCH
    kafka, reader, number = KafkaSettings(bootstrap), LakeReader(Lake(lake)), int(scorers) - 1
    scorer = scoring.Scorer(kafka, reader, Share(0, Division(scorers=int(scorers))))
    if number:
        claim = partial(MeterClaims().claim, number)
        scorer = scoring.Scorer(kafka, reader, Share(number, scorer.share.division), claim)
    try:
        scorer.tick(timeline(), REGISTRY, 600)
    except ScorerFencedError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
