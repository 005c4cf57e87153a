"""A second lake's stages on the broker of the first one, while that one is at work.

Belongs here: the cut, the round, and what each stage that is refused says. Not here: two platforms
on one lake (its lease), alerts of a second lake (`services.test_deliver_alerts`).
"""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from signal import SIGCONT

from usage_platform.adapters.lake.lake_id import lake_id
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import Lake
from usage_platform.services.average_samples import SampleAverager
from usage_platform.services.offset_marks import OtherLakeError
from usage_platform.services.score import Scorer
from usage_platform.services.score_fencing import TRANSACTION_TIMEOUT_MS
from usage_platform_tests.services.simulated_devices import METERS
from usage_platform_tests.services.simulated_devices import REGISTRY as DEVICES
from usage_platform_tests.tools.faults.cuts import Cut, CutMissedError, Outcome
from usage_platform_tests.tools.faults.events import EventStream
from usage_platform_tests.tools.faults.findings import Findings
from usage_platform_tests.tools.faults.judge_of_rounds import METER, START
from usage_platform_tests.tools.faults.judge_of_samples import SentSamples
from usage_platform_tests.tools.faults.judge_of_samples import judged_topics as judged_samples
from usage_platform_tests.tools.faults.scored_topics import judged_topics
from usage_platform_tests.tools.faults.scorer_to_cut import BATCH
from usage_platform_tests.tools.faults.services import Services
from usage_platform_tests.tools.faults.stopping_producer import AFTER_OFFSETS
from usage_platform_tests.topics import (
    SLOW_MACHINE_SECONDS,
    put_events,
    renew_sample_topics,
    renew_topics,
    until,
)

PART = "second lake"
CUTS = (
    Cut(PART, "its scorer begins while the first one's is in its transaction", None),
    Cut(PART, "its averager begins while the first one's is at work", None),
)
_SECONDS = 60.0


class LakeRounds:
    """Rounds on topics that are made anew for each, each with two lakes of its own."""

    cuts = CUTS

    def __init__(self, services: Services) -> None:
        self._services = services
        self._rounds = 0
        assert services.broker

    def play(self, cut: Cut) -> Outcome:
        """Begin the second lake's stage beside the first one's, let that go on, judge."""
        self._rounds += 1
        folder = self._services.folder
        first, second = (Lake(str(folder / f"lake-{self._rounds}-{n}")) for n in (1, 2))
        renew_topics(self._services.kafka)
        renew_sample_topics(self._services.kafka)
        play = self._scored if cut == CUTS[0] else self._averaged
        return play(first, second)

    def _scored(self, first: Lake, second: Lake) -> Outcome:
        kafka, events = self._services.kafka, EventStream(METER, START)
        put_events(kafka, events.in_order(3 * BATCH), key=METER.name.encode())
        scorer = self._stopped_scorer(first)
        try:
            began = time.monotonic()
            refused = _refused(first, lambda: Scorer(kafka, LakeReader(second)))
            scorer.send_signal(SIGCONT)
            said = scorer.communicate(timeout=SLOW_MACHINE_SECONDS)[1]
            seconds = time.monotonic() - began
        finally:
            scorer.kill()
            scorer.wait()
        if scorer.returncode:
            refused += Findings(wrong=(f"the first one's scorer ended and said {said!r}",))
        return Outcome(refused + judged_topics(kafka, events, []), seconds)

    def _stopped_scorer(self, lake: Lake) -> subprocess.Popen[str]:
        note = self._services.folder / "lake-note"
        note.unlink(missing_ok=True)
        module = "usage_platform_tests.tools.faults.scorer_to_cut"
        where = (self._services.kafka.bootstrap, lake.root)
        given = (*where, AFTER_OFFSETS, str(note), str(TRANSACTION_TIMEOUT_MS), "1")
        scorer = subprocess.Popen(
            (sys.executable, "-m", module, *given), stderr=subprocess.PIPE, text=True
        )
        until(lambda: note.exists() or scorer.poll() is not None)
        if scorer.poll() is not None:
            raise CutMissedError(f"{PART}: the scorer ended before it came to its cut")
        return scorer

    def _averaged(self, first: Lake, second: Lake) -> Outcome:
        kafka, sent = self._services.kafka, SentSamples()
        sent.put_half(kafka)
        # Only samples close intervals, until the last one looks at the clock.
        with closing(SampleAverager(kafka, first, lambda: 0.0)) as averager:
            averager.tick(METERS, DEVICES, _SECONDS)
            sent.put_half(kafka)
            began = time.monotonic()
            refused = _refused(first, lambda: SampleAverager(kafka, second))
            averager.tick(METERS, DEVICES, _SECONDS)
        with closing(SampleAverager(kafka, first)) as averager:
            averager.tick(METERS, DEVICES, _SECONDS)
        seconds = time.monotonic() - began
        return Outcome(refused + judged_samples(kafka, sent.bad), seconds)


def _refused(first: Lake, begin: Callable[[], object]) -> Findings:
    """The second lake's stage is refused in one line, which names the first lake."""
    try:
        begin()
    except OtherLakeError as error:
        says = str(error)
        if lake_id(first) in says and "use a broker of its own" in says and "\n" not in says:
            return Findings()
        return Findings(wrong=(f"the second lake's stage said {says!r}",))
    return Findings(wrong=("the second lake's stage began",))
