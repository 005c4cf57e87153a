"""The clock of the stages set back by a day, while the broker's goes on.

Belongs here: the cut, and the round. Not here: leases and waits after a clock was set back, which
have tests (`adapters.lake.test_lease`, `core.time.test_waiting`).

The machine's clock is not touched: averager and scorer are given clocks.
"""

import time
from contextlib import closing

import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import Lake
from usage_platform.services.average_samples import SampleAverager
from usage_platform.services.score import Scorer
from usage_platform.services.score_silence import SilenceRule
from usage_platform.services.tick_request import TickRequest
from usage_platform_tests.services.simulated_devices import METERS
from usage_platform_tests.services.simulated_devices import REGISTRY as DEVICES
from usage_platform_tests.tools.faults.cuts import Cut, Outcome
from usage_platform_tests.tools.faults.events import EventStream
from usage_platform_tests.tools.faults.judge_of_rounds import METER, REGISTRY, START, timeline
from usage_platform_tests.tools.faults.judge_of_samples import SentSamples, judged_topics
from usage_platform_tests.tools.faults.scored_topics import judged_topics as judged_scores
from usage_platform_tests.tools.faults.services import Services
from usage_platform_tests.topics import put_events, renew_sample_topics, renew_topics

PART = "clock"
_AVERAGER = "set back by a day under the averager"
_SCORER = "set back by a day under the scorer"
CUTS = (Cut(PART, _AVERAGER, None), Cut(PART, _SCORER, None))
_DAY = 86_400.0
_SECONDS = 60.0
_EVENTS = 300
_SILENT_AFTER = pd.Timedelta(minutes=15)


class ClockRounds:
    """Rounds on topics that are made anew for each; the lake stays empty."""

    cuts = CUTS

    def __init__(self, services: Services) -> None:
        self._services = services
        self._rounds = 0
        assert services.broker

    def play(self, cut: Cut) -> Outcome:
        """Go on with a clock that was set back, restart, set it right again, judge."""
        self._rounds += 1
        lake = Lake(str(self._services.folder / f"clock-{self._rounds}"))
        renew_topics(self._services.kafka)
        renew_sample_topics(self._services.kafka)
        return {_AVERAGER: self._averaged, _SCORER: self._scored}[cut.place](lake)

    def _averaged(self, lake: Lake) -> Outcome:
        kafka, sent, clock = self._services.kafka, SentSamples(), _Clock()

        def average(behind: float) -> None:
            """By a new averager, as after a kill."""
            clock.at = sent.newest.timestamp() - behind
            with closing(SampleAverager(kafka, lake, clock.now)) as averager:
                averager.tick(METERS, DEVICES, _SECONDS)

        sent.put_half(kafka)
        average(behind=0)
        began = time.monotonic()
        average(behind=_DAY)
        sent.put_half(kafka)
        average(behind=_DAY)
        average(behind=-_DAY)
        return Outcome(judged_topics(kafka, sent.bad), time.monotonic() - began)

    def _scored(self, lake: Lake) -> Outcome:
        kafka, events, clock = self._services.kafka, EventStream(METER, START), _Clock()
        began = 0.0
        for behind in (0.0, _DAY, _DAY, 0.0):
            put_events(kafka, events.in_order(_EVENTS), key=METER.name.encode())
            began = began or (time.monotonic() if behind else 0.0)
            clock.at = time.time() - behind
            with closing(Scorer(kafka, LakeReader(lake))) as scorer:
                for _ in range(2):
                    rule = SilenceRule(_SILENT_AFTER, dict, clock.now)
                    scorer.tick(TickRequest(timeline(), REGISTRY, _SECONDS, silence=rule))
        return Outcome(judged_scores(kafka, events, []), time.monotonic() - began)


class _Clock:
    """A clock that stands where it is set to, seconds since 1970."""

    at = 0.0

    def now(self) -> float:
        return self.at
