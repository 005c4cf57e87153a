"""A playback killed or stopped while it produces; the next one goes on where the topic ends."""

import subprocess
import sys
import time
from signal import SIGCONT, SIGKILL, SIGSTOP

import pandas as pd

from usage_platform.adapters.kafka.topics import USAGE, end_offsets
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform_tests.tools.faults.cuts import Cut, CutMissedError, Outcome
from usage_platform_tests.tools.faults.events import EventStream
from usage_platform_tests.tools.faults.playing import AT_ONCE, go_on, judged_usage
from usage_platform_tests.tools.faults.services import Services
from usage_platform_tests.topics import SLOW_MACHINE_SECONDS, renew_topics, until

PART = "playback"
_PACED = "while it plays at a pace"
_BURST = "while it plays history at once"
_COUNTS = {_PACED: 400, _BURST: 60_000}
_PACES = {_PACED: "slow", _BURST: "at once"}
_PLAYED_BEFORE = 50
_STOP_SECONDS = 3.0
_TRIES = 20
CUTS = (Cut(PART, _PACED), Cut(PART, _BURST), Cut(PART, _PACED, SIGSTOP))


class PlaybackRounds:
    """Rounds on a topic that is made anew for each."""

    cuts = CUTS

    def __init__(self, services: Services) -> None:
        self._services = services
        self._meter = Meter("library")
        self._registry = MeterRegistry(self._meter)
        assert services.broker

    def play(self, cut: Cut) -> Outcome:
        """Disturb a playback at the cut, let another one go on, judge the topic."""
        for _ in range(_TRIES):
            renew_topics(self._services.kafka)
            events = EventStream(self._meter, pd.Timestamp("2000-01-01T00:00:00Z"))
            readings = events.plain(_COUNTS[cut.place])
            playback = self._playback(readings, _PACES[cut.place])
            try:
                began = self._disturb(playback, cut, len(readings))
                go_on(self._services.kafka, readings, self._registry, AT_ONCE)
            finally:
                playback.kill()
                playback.wait()
            if began is not None:
                seconds = time.monotonic() - began
                return Outcome(judged_usage(self._services.kafka, events), seconds)
        raise CutMissedError(f"{cut}: it had always played everything before the signal")

    def _disturb(self, playback: subprocess.Popen[bytes], cut: Cut, count: int) -> float | None:
        """Send the signal while it plays; returns when, None where it came too late."""
        until(lambda: self._played() >= _PLAYED_BEFORE or playback.poll() is not None, 0.005)
        assert cut.signal is not None
        playback.send_signal(cut.signal)
        began = time.monotonic()
        if cut.signal is SIGKILL:
            playback.wait()
        played = self._played()
        if cut.signal is SIGSTOP:
            time.sleep(_STOP_SECONDS)
            playback.send_signal(SIGCONT)
            playback.wait(SLOW_MACHINE_SECONDS)
        return began if played < count else None

    def _playback(self, readings: pd.DataFrame, pace: str) -> subprocess.Popen[bytes]:
        path = self._services.folder / "readings.parquet"
        readings.to_parquet(path)
        module = "usage_platform_tests.tools.faults.playback_to_cut"
        given = (self._services.kafka.bootstrap, str(path), pace)
        return subprocess.Popen((sys.executable, "-m", module, *given))

    def _played(self) -> int:
        return end_offsets(self._services.kafka, USAGE)[0][1]
