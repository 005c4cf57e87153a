"""What a cut is, and what came of a round at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from signal import SIGKILL, Signals
from typing import Protocol

from usage_platform_tests.tools.faults.findings import Findings


class CutMissedError(RuntimeError):
    """A round did not stop where it should have; it says nothing about the platform."""


@dataclass(frozen=True)
class Cut:
    """A place at which something is killed, stopped for a while, or disturbed in another way.

    Attributes:
        part: What is disturbed.
        place: Where, and without a signal how.
        signal: SIGKILL, or SIGSTOP followed by SIGCONT; None: no process gets one.
    """

    part: str
    place: str
    signal: Signals | None = SIGKILL

    def __str__(self) -> str:
        return f"{self.part}: {self.place}"

    @property
    def by(self) -> str:
        """The signal's name."""
        return "no signal" if self.signal is None else self.signal.name


@dataclass(frozen=True)
class Outcome:
    """What came of a round.

    Attributes:
        findings: What is wrong afterwards.
        seconds: From the disturbance until all work was done; judging it comes after.
    """

    findings: Findings
    seconds: float


class Rounds(Protocol):
    """Rounds at the cuts of one part, on services and data that they keep from round to round."""

    @property
    def cuts(self) -> Sequence[Cut]:
        """The cuts at which it plays."""
        ...

    def play(self, cut: Cut) -> Outcome:
        """Play one round: disturb at the cut, let it recover, judge."""
        ...
