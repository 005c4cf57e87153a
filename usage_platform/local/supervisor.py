"""Several services kept running: started together, again when they die or hang, stopped in reverse.

Belongs here: when a service is started again and what is reported about it. Not here: how one
process is started or stopped (process), how it shows that one hangs (asking), or which services
there are (the caller's).
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

from usage_platform.local.asking import MISSES_OF_ONE_THAT_HANGS, Asking
from usage_platform.local.errors import LocalError
from usage_platform.local.process import ChildProcess, Service
from usage_platform.local.sessions import POLL_SECONDS

State = Literal["stopped", "starting", "ready", "waiting"]
"""What a service is; "waiting" is the pause before a restart."""

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
STEADY_AFTER_S = 60.0
_SLOWER_TOGETHER = 3.0
"""Times as long as alone a service may take beside the others, which want the same processors."""


def wait_before_restart(failures: int) -> float:
    """Seconds between the n-th death in a row (from 1) and the next start: 1, 2, 4, ... 30."""
    return min(FIRST_WAIT_S * 2.0 ** (failures - 1), LONGEST_WAIT_S)


@dataclass
class _Kept:
    """A service with what the supervisor remembers of it; times are the clock's."""

    child: ChildProcess
    state: State = "stopped"
    since: float = 0.0
    failures: int = 0
    asking: Asking | None = None


class Supervisor:
    """Keeps services running until told to stop.

    All methods belong to one thread, which must last (see `ChildProcess`).
    """

    def __init__(
        self,
        services: Sequence[Service],
        say: Callable[[str], None],
        progress: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Describe what to keep running; starts nothing yet.

        Args:
            services: Each behind those that it needs.
            say: Called with each event as a line.
            progress: Called with how long a first start has been waited for.
            clock: Seconds that only go forward.
        """
        self._kept = [_Kept(ChildProcess(service)) for service in services]
        self._say = say
        self._progress = progress
        self._clock = clock

    def start(self) -> None:
        """Start all, each as soon as those that it needs answer.

        Raises:
            LocalError: When one does not come up; the others are stopped again.
        """
        try:
            while self._is_starting():
                time.sleep(POLL_SECONDS)
        # Ctrl-C while waiting must not leave a process either.
        except BaseException:
            self.stop()
            raise

    def _is_starting(self) -> bool:
        """Start what may be started by now; whether there is still something to wait for."""
        for kept in self._kept:
            if kept.state == "stopped" and self._has_what_it_needs(kept.child.service):
                self._enter(kept, "starting")
                kept.child.start()
            elif kept.state == "starting" and self._has_come_up(kept):
                self._become_ready(kept, "ready")
        starting = [kept for kept in self._kept if kept.state == "starting"]
        if starting:
            names = ", ".join(kept.child.service.name for kept in starting)
            longest = self._clock() - min(kept.since for kept in starting)
            self._progress(f"{names}: starting, {longest:.0f} s")
        return any(kept.state != "ready" for kept in self._kept)

    def _has_come_up(self, kept: _Kept) -> bool:
        within = _SLOWER_TOGETHER * kept.child.service.start_timeout
        return kept.child.has_come_up(self._clock() - kept.since, within)

    def _has_what_it_needs(self, service: Service) -> bool:
        return all(
            kept.state == "ready" for kept in self._kept if kept.child.service.name in service.needs
        )

    def look(self) -> None:
        """Look at each service once and do what is due, without waiting for one to be ready."""
        for kept in self._kept:
            kept.child.rotate_log()
            if kept.state == "waiting":
                self._restart_if_due(kept)
            elif kept.state != "stopped" and not kept.child.is_alive:
                self._fail(kept, kept.child.why_it_ended())
            elif kept.state == "starting":
                self._ask_if_ready(kept)
            elif kept.asking is not None and kept.asking.hangs():
                self._end_hanging(kept)

    def stop(self) -> None:
        """Stop all in reverse order, whatever state they are in.

        What breaks it off, as Ctrl-C does, is raised when all are stopped: the service that was
        waited for is killed then, and the others are stopped as ever.
        """
        for kept in self._kept:
            kept.child.end_waits()
        with ExitStack() as last_in_first_out:
            for kept in self._kept:
                last_in_first_out.callback(self._stop_one, kept)

    def _stop_one(self, kept: _Kept) -> None:
        state, kept.state = kept.state, "stopped"
        if state in ("starting", "ready"):
            self._progress(f"{kept.child.service.name}: stopping")
            kept.child.stop()
            self._say(f"{kept.child.service.name}: stopped")

    def _enter(self, kept: _Kept, state: State) -> None:
        kept.state = state
        kept.since = self._clock()

    def _become_ready(self, kept: _Kept, what: str) -> None:
        took = self._clock() - kept.since
        self._enter(kept, "ready")
        service = kept.child.service
        kept.asking = Asking(service.ready, self._clock) if service.asked_again else None
        self._say(f"{kept.child.service.name}: {what} after {took:.1f} s")

    def _fail(self, kept: _Kept, why: str) -> None:
        """Note a death or a failed start, clear its remains away, and plan the next start."""
        steady = kept.state == "ready" and self._clock() - kept.since >= STEADY_AFTER_S
        kept.failures = 1 if steady else kept.failures + 1
        kept.child.stop()
        self._enter(kept, "waiting")
        self._say(f"{why}; starting again in {wait_before_restart(kept.failures):.0f} s")

    def _end_hanging(self, kept: _Kept) -> None:
        service = kept.child.service
        # Asked to stop, it would be waited for in vain, and nobody would look at the others.
        kept.child.kill()
        self._fail(
            kept,
            f"{service.name} runs but has not answered {MISSES_OF_ONE_THAT_HANGS} times in a row; "
            f"see {service.log_file}",
        )

    def _restart_if_due(self, kept: _Kept) -> None:
        if self._clock() - kept.since < wait_before_restart(kept.failures):
            return
        self._enter(kept, "starting")
        try:
            kept.child.start()
        except LocalError as error:
            self._fail(kept, str(error))

    def _ask_if_ready(self, kept: _Kept) -> None:
        service = kept.child.service
        if service.ready():
            self._become_ready(kept, "ready again")
        elif self._clock() - kept.since > service.start_timeout:
            self._fail(kept, f"{service.name} did not answer within {service.start_timeout:.0f} s")
