"""A scorer in a process of its own: of several in one process only one at a time runs Python.

Belongs here: both ends of its connection, and what becomes of its errors. Not here: scoring
(`score`), who runs several (`divided_scorers`), the process (`adapters.processes.companion`).
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd
from confluent_kafka import KafkaException

from usage_platform.adapters.kafka.errors import kafka_error_line
from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.processes.companion import Ask, Companion, Handler
from usage_platform.core.detector.manifest import Manifest, Model
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.score import Scorer
from usage_platform.services.score_division import Share
from usage_platform.services.score_fencing import ScorerFencedError
from usage_platform.services.score_meters import Claim, SharedMeterError
from usage_platform.services.score_result import TickResult
from usage_platform.services.score_silence import SilenceRule
from usage_platform.services.tick_request import TickRequest

EXPECTED_FAILURES = (
    KafkaException,
    ConnectionError,
    EOFError,
    LakeError,
    ScorerFencedError,
    SharedMeterError,
)
"""What ends a tick though the program is right; among them that the other process has ended."""

_log = logging.getLogger(__name__)


class ScorerProcessError(RuntimeError):
    """A scorer's tick failed in its process; one line."""


def reason_of(error: Exception) -> str:
    """Why a tick failed, in one line."""
    if isinstance(error, KafkaException):
        return kafka_error_line(error)
    return " ".join(str(error).split()) or type(error).__name__


@dataclass(frozen=True)
class _Begin:
    """What a scorer is made from."""

    kafka: KafkaSettings
    reader: LakeReader
    share: Share


@dataclass(frozen=True)
class _Tick:
    """A `TickRequest` as it is sent to the process.

    Attributes:
        load: Gives models; None for that of the last tick, which may hold what it has read.
        manifests: As those of a `ModelTimeline`, like `labels`.
        labels: See there.
        registry: The known meters; None for that of the last tick.
        seconds: As in the request, like `listen` and `horizon`.
        listen: See there.
        horizon: See there.
        least: That of the `SilenceRule`; None to report no silence.
    """

    load: Callable[[str], Model] | None
    manifests: Sequence[Manifest]
    labels: pd.DataFrame
    registry: MeterRegistry | None
    seconds: float
    listen: bool
    horizon: pd.Timestamp | None
    least: pd.Timedelta | None


@dataclass(frozen=True)
class _Failed:
    """A tick that failed, with its one line; `fenced` if another division has begun."""

    reason: str
    fenced: bool = False


class ScorerProcess:
    """As a `Scorer`, whose process begins at the first tick.

    Args:
        kafka: The brokers.
        reader: The lake's tables.
        share: Its part of a division that has begun.
        claim: Claims meters.
    """

    def __init__(
        self, kafka: KafkaSettings, reader: LakeReader, share: Share, claim: Claim
    ) -> None:
        self.share = share
        self._begin: _Begin | None = _Begin(kafka, reader, share)
        self._claim = claim
        self._load: Callable[[str], Model] | None = None
        self._registry: MeterRegistry | None = None
        self._process = Companion(make_handler)

    def tick(self, request: TickRequest) -> TickResult:
        """Score what waits, as `Scorer.tick` does; timeline and registry are pickled.

        Raises:
            ScorerFencedError: Another division has begun.
            SharedMeterError: Another scorer has one of the meters; nothing of it was scored.
            ScorerProcessError: The scorer must be closed and replaced.
            CompanionEndedError: The same.
        """
        if self._begin is not None:
            self._request(self._begin, None)
            self._begin = None
        timeline, silence = request.timeline, request.silence
        content = _Tick(
            None if timeline.load == self._load else timeline.load,
            timeline.manifests,
            timeline.labels,
            None if request.registry == self._registry else request.registry,
            request.seconds,
            request.listen,
            request.horizon,
            None if silence is None else silence.least,
        )
        self._load, self._registry = timeline.load, request.registry
        return self._request(content, silence)

    def close(self) -> None:
        """End the process; the next one with its number aborts an open transaction."""
        self._process.close()

    def _request(self, content: _Begin | _Tick, silence: SilenceRule | None) -> TickResult:
        outcome = self._process.request(content, partial(self._answer, silence))
        if isinstance(outcome, SharedMeterError):
            raise outcome
        if isinstance(outcome, _Failed):
            raise ScorerFencedError if outcome.fenced else ScorerProcessError(outcome.reason)
        return outcome

    def _answer(
        self, silence: SilenceRule | None, asked: Mapping[str, int] | None
    ) -> Mapping[str, int]:
        """Claim meters; or, asked for nothing, say how far the source is played."""
        if asked is not None:
            return self._claim(asked)
        return {} if silence is None else dict(silence.played_to())


def make_handler() -> Handler:
    """The process's side: one scorer, for as long as there are requests."""
    return _Served()


class _Served:
    def __init__(self) -> None:
        self._scorer: Scorer | None = None
        self._load: Callable[[str], Model] | None = None
        self._registry = MeterRegistry()

    def __call__(self, request: _Begin | _Tick, ask: Ask) -> object:
        try:
            if isinstance(request, _Begin):
                self._scorer = Scorer(request.kafka, request.reader, request.share, ask)
                return TickResult()
            return self._tick(request, ask)
        except SharedMeterError as error:
            return error
        except Exception as error:
            if not isinstance(error, EXPECTED_FAILURES):
                _log.exception("a scorer's process failed")
            return _Failed(reason_of(error), fenced=isinstance(error, ScorerFencedError))

    def _tick(self, request: _Tick, ask: Ask) -> TickResult:
        self._load = request.load or self._load
        self._registry = request.registry or self._registry
        if self._scorer is None or self._load is None:
            raise ScorerProcessError("a tick came before its scorer and its models")
        timeline = ModelTimeline(request.manifests, self._load, request.labels)
        silence = None
        if request.least is not None:
            silence = SilenceRule(request.least, lambda: ask(None))
        return self._scorer.tick(
            TickRequest(
                timeline,
                self._registry,
                request.seconds,
                request.listen,
                request.horizon,
                silence,
            )
        )
