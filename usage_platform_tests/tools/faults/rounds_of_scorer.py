"""A scorer killed within its transaction, or stopped for longer than a transaction may take.

Belongs here: the cuts, and the round at one. Not here: how a scorer stops (`scorer_to_cut`), what
is a wrong history (`history`).
"""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

from usage_platform.adapters.kafka.topics import ANOMALY, end_offsets
from usage_platform.adapters.lake.tables import Lake
from usage_platform.services.score_fencing import TRANSACTION_TIMEOUT_MS
from usage_platform_tests.tools.faults.cuts import Cut, CutMissedError, Outcome
from usage_platform_tests.tools.faults.events import EventStream
from usage_platform_tests.tools.faults.findings import Findings
from usage_platform_tests.tools.faults.history import Attempt
from usage_platform_tests.tools.faults.judge_of_rounds import METER, START
from usage_platform_tests.tools.faults.scored_topics import judged_topics, score_all
from usage_platform_tests.tools.faults.scorer_to_cut import BATCH
from usage_platform_tests.tools.faults.services import Services
from usage_platform_tests.tools.faults.stopping_producer import (
    AFTER_OFFSETS,
    PLACES,
    SHORT_TIMEOUT_MS,
    attempt_in,
)
from usage_platform_tests.topics import SLOW_MACHINE_SECONDS, put_events, renew_topics, until

PART = "scorer"
PART_OF_TWO = "one of two scorers"
_FENCED = "another scorer has taken over"
CUTS = (*(Cut(PART, place) for place in PLACES), Cut(PART, AFTER_OFFSETS, SIGSTOP))
CUTS_OF_TWO = (Cut(PART_OF_TWO, AFTER_OFFSETS), Cut(PART_OF_TWO, AFTER_OFFSETS, SIGSTOP))


class ScorerRounds:
    """Rounds on one topic, which grows from round to round; the lake stays empty.

    Of two scorers the second one is disturbed, which has the events; one alone goes on, in a
    division of its own.
    """

    def __init__(self, services: Services, scorers: int = 1) -> None:
        self.cuts = CUTS if scorers == 1 else CUTS_OF_TWO
        self._scorers = scorers
        self._services = services
        self._lake = Lake(str(services.folder / "no-lake"))
        self._events = EventStream(METER, START)
        assert services.broker
        self._kafka = replace(services.kafka, partitions=scorers)
        renew_topics(self._kafka)

    def play(self, cut: Cut) -> Outcome:
        """Disturb a scorer at the cut, look, let another one go on, judge what was told."""
        kafka, events = self._kafka, self._events
        # The second of three batches or more is the one that is disturbed.
        placed = [(self._scorers - 1, one) for one in events.in_order(3 * BATCH)]
        put_events(kafka, placed, key=METER.name.encode())
        note = self._services.folder / "note"
        note.unlink(missing_ok=True)
        scorer = self._scorer(cut, note)
        try:
            until(lambda: note.exists() or scorer.poll() is not None)
            attempt = _attempt(note, scorer)
            if cut.signal is SIGKILL:
                scorer.kill()
                scorer.wait()
                findings = judged_topics(kafka, events, [attempt])
                began = time.monotonic()
            else:
                began = time.monotonic()
                self._wait_for_abort(attempt)
                findings = Findings()
            score_all(kafka, self._lake)
            seconds = time.monotonic() - began
            findings += judged_topics(kafka, events, [attempt])
            if cut.signal is SIGSTOP:
                scorer.send_signal(SIGCONT)
                findings += _fenced(scorer) + judged_topics(kafka, events, [attempt])
        finally:
            scorer.kill()
            scorer.wait()
        return Outcome(findings, seconds)

    def _scorer(self, cut: Cut, note: Path) -> subprocess.Popen[str]:
        module = "usage_platform_tests.tools.faults.scorer_to_cut"
        # One that is killed leaves a transaction of the platform's own length.
        timeout = TRANSACTION_TIMEOUT_MS if cut.signal is SIGKILL else SHORT_TIMEOUT_MS
        where = (self._kafka.bootstrap, self._lake.root)
        given = (*where, cut.place, str(note), str(timeout), str(self._scorers))
        return subprocess.Popen(
            (sys.executable, "-m", module, *given), stderr=subprocess.PIPE, text=True
        )

    def _wait_for_abort(self, attempt: Attempt) -> None:
        """Until the broker has given the transaction up and marked that behind its records."""
        places = [one for one in attempt.places if one[0] == ANOMALY]
        _, partition, last = max(places)
        until(lambda: end_offsets(self._kafka, ANOMALY)[partition][1] > last + 1)


def _attempt(note: Path, scorer: subprocess.Popen[str]) -> Attempt:
    if scorer.poll() is not None:
        said = scorer.stderr.read() if scorer.stderr else ""
        raise CutMissedError(f"{PART}: it ended before it came to its cut: {said[-300:]}")
    return attempt_in(note)


def _fenced(scorer: subprocess.Popen[str]) -> Findings:
    """The older scorer can do nothing more, and says so in one line."""
    said = scorer.communicate(timeout=SLOW_MACHINE_SECONDS)[1]
    lines = said.splitlines()
    if scorer.returncode == 1 and len(lines) == 1 and lines[0].startswith(_FENCED):
        return Findings()
    return Findings(wrong=(f"the older scorer ended with {scorer.returncode} and said {said!r}",))
