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
    """A place at which something is killed, or stopped for a while.

    Attributes:
        part: What is killed.
        place: Where.
        signal: SIGKILL, or SIGSTOP followed by SIGCONT.
    """

    part: str
    place: str
    signal: Signals = SIGKILL

    def __str__(self) -> str:
        return f"{self.part}: {self.place}"


@dataclass(frozen=True)
class Outcome:
    """What came of a round.

    Attributes:
        findings: What is wrong afterwards.
        seconds: From the signal until all work was done; judging it comes after.
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
