"""What people say of stretches of a meter's time, and what follows from it.

Belongs here: labels as values. Not here: where they are kept (adapters), how they are typed in
(`console`).

A stretch that was truly anomalous, or planned, says nothing of how the meter usually is: its
readings are left out of training. A planned one is not reported either. One that was no anomaly
after all stays in, so that the next model knows it.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.arrays import Ints
from usage_platform.core.time.units import instants_of

LABEL_COLUMNS = ["meter", "start", "end", "says", "note"]
"""Meter, start and end (datetime64[ns, UTC], end exclusive), `Verdict`, a few words."""


class Verdict(StrEnum):
    """What a person says of a stretch of time."""

    TRUE = "true"
    FALSE = "false"
    PLANNED = "planned"


NO_LABELS = pd.DataFrame(
    {
        name: pd.Series(dtype="datetime64[ns, UTC]" if name in {"start", "end"} else object)
        for name in LABEL_COLUMNS
    }
)


def left_out(meter: str, instants: Ints, labels: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which readings must not be learned from.

    Args:
        meter: The meter's name.
        instants: n interval starts, ns since 1970 UTC.
        labels: `LABEL_COLUMNS`.
    """
    return _within(meter, instants, labels, (Verdict.TRUE, Verdict.PLANNED))


def silenced(meter: str, instants: Ints, labels: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which readings must not be told; the arguments are those of `left_out`."""
    return _within(meter, instants, labels, (Verdict.PLANNED,))


def _within(
    meter: str, instants: Ints, labels: pd.DataFrame, verdicts: tuple[Verdict, ...]
) -> npt.NDArray[np.bool_]:
    own = labels[(labels["meter"] == meter) & labels["says"].isin(verdicts)]
    inside = np.zeros(len(instants), dtype=np.bool_)
    begins, ends = (instants_of(own.loc[:, name]) for name in ("start", "end"))
    for begin, end in zip(begins, ends, strict=True):
        inside |= (instants >= begin) & (instants < end)
    return inside


@dataclass(frozen=True)
class Agreement:
    """How what was told agrees with what people say.

    Attributes:
        right: Episodes that touch a stretch that was truly anomalous.
        wrong: Episodes that touch one that was no anomaly after all, and none that was.
        missed: Stretches that were truly anomalous and of which nothing was reported.
    """

    right: int
    wrong: int
    missed: int


def agreement(anomalies: pd.DataFrame, labels: pd.DataFrame) -> Agreement:
    """Compare what was told with the labels.

    Args:
        anomalies: meter, event_time (datetime64[ns, UTC]), episode.
        labels: `LABEL_COLUMNS`.
    """
    right: set[tuple[str, str]] = set()
    wrong: set[tuple[str, str]] = set()
    missed = 0
    for label in labels.itertuples(index=False):
        own = anomalies[anomalies["meter"] == label.meter]
        inside = own[(own["event_time"] >= label.start) & (own["event_time"] < label.end)]
        episodes = {(str(label.meter), str(episode)) for episode in inside["episode"]}
        if label.says == Verdict.TRUE:
            right |= episodes
            missed += not episodes
        elif label.says == Verdict.FALSE:
            wrong |= episodes
    return Agreement(len(right), len(wrong - right), missed)
