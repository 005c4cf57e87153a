"""The scorers of one machine: one for all partitions, or several that divide them.

Belongs here: how many there are, the ticks of all of them, replacing those that failed. Not here:
a scorer (`score`, `score_process`), what makes a division safe (`score_division`).

The first scorer works in this process, each other one in a process of its own. Where events of a
meter turn out to lie in the partitions of two scorers, one scorer takes all partitions for a while.
"""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from confluent_kafka import KafkaException

from usage_platform.adapters.kafka.topic_ids import described_topic
from usage_platform.adapters.kafka.topics import USAGE, KafkaSettings, KafkaUnreachableError
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.processes.companion import CompanionEndedError
from usage_platform.services.progress import scoring_lag
from usage_platform.services.score import Scorer
from usage_platform.services.score_division import Division, Share
from usage_platform.services.score_fencing import ScorerFencedError
from usage_platform.services.score_meters import MeterClaims, SharedMeterError
from usage_platform.services.score_process import (
    EXPECTED_FAILURES,
    ScorerProcess,
    ScorerProcessError,
    reason_of,
)
from usage_platform.services.score_result import TickResult, merged
from usage_platform.services.tick_request import TickRequest

WHOLE_SECONDS = 3600.0
"""For so long one scorer has all partitions after two have met events of one meter."""

# Of the last one, its process has logged where it failed.
_IN_ONE_LINE = (*EXPECTED_FAILURES, CompanionEndedError, ScorerProcessError)

_log = logging.getLogger(__name__)


class DividedScorers:
    """All scorers, kept from tick to tick; each tick is one of all of them. Not thread-safe.

    Args:
        kafka: The brokers.
        reader: The lake's tables.
        most: The most scorers; there are never more than partitions.
    """

    def __init__(self, kafka: KafkaSettings, reader: LakeReader, most: int) -> None:
        self._kafka = kafka
        self._reader = reader
        self._most = most
        self._topic = ""
        self._scorers: dict[int, Scorer | ScorerProcess] = {}
        self._division = Division(scorers=0)
        self._claims = MeterClaims()
        self._whole_until = 0.0
        self._shared = ""

    def tick(self, request: TickRequest) -> TickResult:
        """A tick of each scorer, all at once, for the same request.

        A scorer that fails does not stop the others. The result's notice says why it failed, and
        the next tick replaces it.

        Raises:
            ScorerFencedError: Scorers of another process have taken over; these must be closed.
            Exception: What the first scorer raised, if all of them failed.
        """
        self._divide()
        if self._division.scorers == 1:
            result = self._scorer(0).tick(request)
            result.notice = "; ".join(filter(None, [result.notice, self._shared]))
            return result
        return self._tick_each(request)

    def close(self) -> None:
        """Close all of them; their successors abort open transactions."""
        for scorer in self._scorers.values():
            scorer.close()
        self._scorers = {}
        self._division = Division(scorers=0)

    def _divide(self) -> None:
        """Begin a division if there is none, or the present one is of other numbers."""
        topic, scorers = "", 1
        if self._most > 1:
            if time.monotonic() >= self._whole_until:
                self._shared = ""
            topic, partitions = described_topic(self._kafka, USAGE) or ("", 1)
            scorers = 1 if self._shared else min(self._most, partitions)
        if (topic, scorers) == (self._topic, self._division.scorers):
            return
        self.close()
        self._claims = MeterClaims()
        first = self._made(Share(0, Division(scorers=scorers)))
        # Only now: where it could not begin the division, the next tick tries again.
        self._topic, self._division, self._scorers = topic, first.share.division, {0: first}

    def _scorer(self, number: int) -> Scorer | ScorerProcess:
        """The scorer of a number; a new one where there is none or it has failed."""
        if number not in self._scorers:
            self._scorers[number] = self._made(Share(number, self._division))
        return self._scorers[number]

    def _made(self, share: Share) -> Scorer | ScorerProcess:
        if share.division.scorers == 1:
            return Scorer(self._kafka, self._reader, share)
        kind = ScorerProcess if share.number else Scorer
        claim = partial(self._claims.claim, share.number)
        return kind(self._kafka, self._reader, share, claim)

    def _tick_each(self, request: TickRequest) -> TickResult:
        numbers = range(self._division.scorers)
        with ThreadPoolExecutor(len(numbers)) as threads:
            outcomes = list(threads.map(partial(self._outcome, request), numbers))
        results = [one for one in outcomes if isinstance(one, TickResult)]
        errors = {n: one for n, one in enumerate(outcomes) if isinstance(one, Exception)}
        shared = [one for one in errors.values() if isinstance(one, SharedMeterError)]
        if any(isinstance(one, ScorerFencedError) for one in errors.values()):
            raise ScorerFencedError
        if shared:
            self._leave_to_one(shared[0])
        elif not results:
            raise errors[0]
        result = merged(results)
        if errors:
            result.notice = "; ".join(filter(None, [result.notice, *self._notices(errors)]))
            result.lag = self._lag(result.lag)
        return result

    def _outcome(self, request: TickRequest, number: int) -> TickResult | Exception:
        """The result of one scorer's tick, or why it failed; it is closed then."""
        try:
            return self._scorer(number).tick(request)
        except Exception as error:
            if not isinstance(error, SharedMeterError):
                trace = None if isinstance(error, _IN_ONE_LINE) else error
                share = Share(number, self._division)
                _log.warning("%s failed: %s", share, reason_of(error), exc_info=trace)
            if number in self._scorers:
                self._scorers.pop(number).close()
            return error

    def _leave_to_one(self, error: SharedMeterError) -> None:
        self.close()
        self._whole_until = time.monotonic() + WHOLE_SECONDS
        self._shared = f"one scorer scores all partitions for an hour: {error}"

    def _notices(self, errors: dict[int, Exception]) -> list[str]:
        if self._shared:
            return [self._shared]
        return [
            f"{Share(number, self._division)} begins again at the next tick, nothing is lost or "
            f"doubled: {reason_of(error)}"
            for number, error in errors.items()
        ]

    def _lag(self, known: int) -> int:
        """The events that wait, those of scorers that failed too; at least the known ones."""
        try:
            return scoring_lag(self._kafka)
        except (KafkaUnreachableError, KafkaException):
            return known
