"""What became of injected faults: found, missed, or there before a model knew better.

Belongs here: comparing anomalies with the truth. Not here: injecting faults (`faults`), printing.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pandas as pd


class Verdict(StrEnum):
    """What became of one fault."""

    FOUND = "found"
    MISSED = "missed"
    LEARNED = "learned"
    """It was over before a model scored that knew what to expect."""


@dataclass(frozen=True)
class FaultVerdicts:
    """What became of all faults.

    Attributes:
        verdicts: A `Verdict` for each fault, in their order.
        delays: From a fault's start to the first anomaly within it (timedelta64; NaT where it was
            not found), in their order.
        outside: Anomalies that lie within no fault.
    """

    verdicts: list[Verdict]
    delays: list[pd.Timedelta]
    outside: int

    @property
    def found(self) -> int:
        """How many were found."""
        return self.verdicts.count(Verdict.FOUND)

    @property
    def evaluated(self) -> int:
        """How many could be found."""
        return len(self.verdicts) - self.verdicts.count(Verdict.LEARNED)


def evaluate_faults(
    faults: pd.DataFrame,
    anomalies: pd.DataFrame,
    scored_from: pd.Timestamp,
    lasting: pd.DataFrame | None = None,
) -> FaultVerdicts:
    """Compare anomalies with the faults that were injected.

    Args:
        faults: `meter`, `start`, `end` (UTC, exclusive); a row a fault.
        anomalies: `meter`, `event_time` (UTC).
        scored_from: From when on a model scored that knew what to expect.
        lasting: The same columns of other faults, which no anomaly has to show: anomalies within
            them are not outside.
    """
    verdicts: list[Verdict] = []
    delays: list[Any] = []
    inside = pd.Series(False, index=anomalies.index)
    for fault in [] if lasting is None else lasting.to_dict("records"):
        inside |= _within(fault, anomalies)
    for fault in faults.to_dict("records"):
        own = _within(fault, anomalies)
        inside |= own
        if fault["end"] <= scored_from:
            verdict = Verdict.LEARNED
        else:
            verdict = Verdict.FOUND if own.any() else Verdict.MISSED
        verdicts.append(verdict)
        is_found = verdict is Verdict.FOUND
        first = anomalies.loc[own, "event_time"].min()
        delays.append(first - fault["start"] if is_found else pd.NaT)
    return FaultVerdicts(verdicts, delays, int((~inside).sum()))


def _within(fault: dict[Any, Any], anomalies: pd.DataFrame) -> pd.Series:
    within = anomalies["event_time"].between(fault["start"], fault["end"], inclusive="left")
    return within & anomalies["meter"].eq(fault["meter"])
