"""The broker killed or stopped for a while, under a playback and under a scorer.

Belongs here: the cuts, and the round at one. Not here: the clients' own deaths (`rounds_of_scorer`,
`rounds_of_playback`).
"""

import threading
import time
from functools import partial
from signal import SIGCONT, SIGSTOP
from types import ModuleType
from typing import Any
from unittest.mock import patch

from confluent_kafka import Consumer, Producer

from usage_platform.adapters.lake.tables import Lake
from usage_platform.services import score as scoring
from usage_platform.services import score_fencing
from usage_platform.services.play import PlaybackProgress
from usage_platform_tests.tools.faults.background import Background
from usage_platform_tests.tools.faults.cuts import Cut, CutMissedError, Outcome
from usage_platform_tests.tools.faults.events import EventStream
from usage_platform_tests.tools.faults.judge_of_rounds import METER, REGISTRY, START
from usage_platform_tests.tools.faults.playing import go_on, judged_usage, slow
from usage_platform_tests.tools.faults.scored_topics import judged_topics, score_all
from usage_platform_tests.tools.faults.services import Services
from usage_platform_tests.tools.faults.stopping_producer import SHORT_TIMEOUT_MS
from usage_platform_tests.topics import SLOW_MACHINE_SECONDS, put_events, renew_topics

PART = "broker"
PRODUCE = "while the playback produces"
POLL = "while the scorer polls"
COMMIT = "while the scorer commits"
# A scorer waits 10 s for a commit: it then gives up one that the broker goes on with afterwards.
_STOP_SECONDS = {PRODUCE: 5.0, POLL: 5.0, COMMIT: 12.0}
_READINGS = 300
_PLAYED_BEFORE = 50
CUTS = tuple(
    Cut(PART, place, *signals) for signals in ((), (SIGSTOP,)) for place in (PRODUCE, POLL, COMMIT)
)


class _Gate:
    """A place that a client comes to, and is held at until it may go on; once."""

    def __init__(self) -> None:
        self._reached, self._open = threading.Event(), threading.Event()

    def pass_through(self) -> None:
        """Say that one is here, and wait."""
        self._reached.set()
        self._open.wait(SLOW_MACHINE_SECONDS)

    def wait_for_client(self) -> None:
        """Wait until one is there."""
        if not self._reached.wait(SLOW_MACHINE_SECONDS):
            raise CutMissedError(f"{PART}: no client came to the cut")

    def open(self) -> None:
        """Let it go on, and all that come later."""
        self._open.set()


class BrokerRounds:
    """Rounds on topics that grow from round to round; the lake stays empty."""

    cuts = CUTS

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lake = Lake(str(services.folder / "no-lake"))
        self._events = EventStream(METER, START)
        assert services.broker
        renew_topics(services.kafka)

    def play(self, cut: Cut) -> Outcome:
        """Disturb the broker while a client is at the cut, wait for the client, judge."""
        gate = _Gate()
        work = {PRODUCE: self._produce, POLL: self._poll, COMMIT: self._commit}[cut.place](gate)
        gate.wait_for_client()
        began = time.monotonic()
        assert cut.signal is not None
        self._services.broker.send(cut.signal)
        gate.open()
        if cut.signal is SIGSTOP:
            time.sleep(_STOP_SECONDS[cut.place])
            self._services.broker.send(SIGCONT)
        else:
            self._services.broker.start()
        work.join()
        if work.error is not None:
            raise work.error
        seconds = time.monotonic() - began
        kafka, events = self._services.kafka, self._events
        findings = judged_usage(kafka, events)
        if cut.place != PRODUCE:
            findings += judged_topics(kafka, events, [])
        return Outcome(findings, seconds)

    def _produce(self, gate: _Gate) -> Background:
        readings = self._events.plain(_READINGS)

        def report(progress: PlaybackProgress) -> None:
            if progress.sent == _PLAYED_BEFORE:
                gate.pass_through()

        play = partial(go_on, pace=slow(METER), report=report)
        return Background(lambda: play(self._services.kafka, readings, REGISTRY))

    def _poll(self, gate: _Gate) -> Background:
        class HaltingConsumer(Consumer):
            def consume(self, *rest: Any, **named: Any) -> Any:
                gate.pass_through()
                return super().consume(*rest, **named)

        return self._score(scoring, "Consumer", HaltingConsumer)

    def _commit(self, gate: _Gate) -> Background:
        class HaltingProducer(Producer):
            def commit_transaction(self, *rest: Any, **named: Any) -> None:
                gate.pass_through()
                super().commit_transaction(*rest, **named)

        return self._score(score_fencing, "Producer", HaltingProducer)

    def _score(self, module: ModuleType, name: str, halting: type) -> Background:
        events = self._events.in_order(_READINGS)
        put_events(self._services.kafka, events, key=METER.name.encode())

        def score() -> None:
            with (
                patch.object(score_fencing, "TRANSACTION_TIMEOUT_MS", SHORT_TIMEOUT_MS),
                patch.object(module, name, halting),
            ):
                score_all(self._services.kafka, self._lake)

        return Background(score)
