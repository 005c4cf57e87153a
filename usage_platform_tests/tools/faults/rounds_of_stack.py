"""Parts of a whole running platform killed or stopped: its supervisor and sensors go on.

Belongs here: the cuts, and the round. Not here: the judge (`judge_of_platform`), kills within a
batch or a transaction (`rounds_of_spark`, `rounds_of_scorer`).
"""

import os
import time
from contextlib import suppress
from signal import SIGCONT, SIGKILL, SIGSTOP

from usage_platform_tests.e2e.conftest import platform_in, wait_for
from usage_platform_tests.e2e.running_platform import LONG_S, RunningPlatform, running
from usage_platform_tests.tools.faults.cuts import Cut, Outcome
from usage_platform_tests.tools.faults.judge_of_platform import judged_platform
from usage_platform_tests.tools.faults.services import Services

PART = "platform"
_PLAYBACK = "playback run"
_SERVICES = {"Spark": "spark", "broker": "kafka", "code server": "code", "daemon": "daemon"}
SETTINGS = {
    "interval_minutes": 60,
    # An hour a second lasts for four hours of rounds.
    "generated_days": 700,
    # It finds a fifth of all readings odd: there is always something to tell.
    "method": "blog",
    "history_days": 42,
    "accelerator": 3600,
}
# Longer than a transaction may take, and than the supervisor waits for an answer.
_STOP_SECONDS = 75.0
_STOPPED = Cut(PART, "playback run, code server and daemon stopped", SIGSTOP)
CUTS = (*(Cut(PART, f"{name} killed") for name in (_PLAYBACK, *_SERVICES)), _STOPPED)


def stack_rounds(services: Services) -> "StackRounds":
    """Rounds on a platform of their own."""
    folder = services.folder / "platform"
    folder.mkdir()
    platform = platform_in(folder, services.ask_port, **SETTINGS)
    return StackRounds(services.enter(running(platform)))


class StackRounds:
    """Rounds on one running platform."""

    cuts = CUTS

    def __init__(self, stack: RunningPlatform) -> None:
        self._stack = stack

    def play(self, cut: Cut) -> Outcome:
        """Disturb it at the cut, wait until everything flows again, judge what is there."""
        # Else the sensors would put the next ones off for longer, as what fails again and again.
        wait_for("a playback that plays for a while", self._stack.has_played_for_a_while)
        wait_for("a micro-batch that succeeds", self._stack.has_ingested, LONG_S)
        self._stack.note_processes()
        began = time.monotonic()
        if cut == _STOPPED:
            self._stop_for_a_while()
            # Nothing can recover while it is stopped.
            began = time.monotonic()
        else:
            self._kill(cut.place.removesuffix(" killed"))
        wait_for("an answer of Kafka", self._stack.kafka_answers)
        self._stack.goes_on()
        seconds = time.monotonic() - began
        return Outcome(judged_platform(self._stack), seconds)

    def _kill(self, name: str) -> None:
        stack, run = self._stack, self._stack.playback()
        if name == _PLAYBACK:
            os.kill(stack.playback_pid(), SIGKILL)
            wait_for("another playback", lambda: stack.is_played_by_another(run))
        else:
            pid = self._pid(name)
            os.kill(pid, SIGKILL)
            wait_for(f"another {name}", lambda: stack.pid(_SERVICES[name]) not in {None, pid})

    def _stop_for_a_while(self) -> None:
        pids = [self._stack.playback_pid(), self._pid("code server"), self._pid("daemon")]
        for pid in pids:
            os.kill(pid, SIGSTOP)
        time.sleep(_STOP_SECONDS)
        for pid in pids:
            # The supervisor may have started others in their place.
            with suppress(ProcessLookupError):
                os.kill(pid, SIGCONT)

    def _pid(self, name: str) -> int:
        pid = self._stack.pid(_SERVICES[name])
        assert pid
        return pid
