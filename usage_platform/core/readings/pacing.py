"""Which readings are due when: the pace of playback, and where it goes on after a stop.

Belongs here: pure decisions on a frame of readings. Not here: the topic (adapters), the clock (an
argument).
"""

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

AS_FAST_AS_POSSIBLE = math.inf
_BURST_ROWS = 20_000


@dataclass(frozen=True)
class Pace:
    """How fast event time goes by.

    Attributes:
        step_minutes: Event time between two steps of the source.
        accelerator: Steps are sent every `step_minutes * 60 / accelerator` seconds;
            `AS_FAST_AS_POSSIBLE` for as fast as the broker takes them.
        history_until: Readings before this instant are history and sent at once.
    """

    step_minutes: int = 5
    accelerator: float = 1.0
    history_until: pd.Timestamp | None = None

    @property
    def seconds_a_step(self) -> float:
        """Wall-clock seconds between two steps; 0 for as fast as possible."""
        return self.step_minutes * 60 / self.accelerator


def to_play(
    readings: pd.DataFrame, start: datetime | None, max_iterations: int | None
) -> pd.DataFrame:
    """The readings of a source that are played at all.

    Args:
        readings: `meter`, `ts` (datetime64[ns, UTC]), `value`; sorted by ts, then meter.
        start: Readings before it are not played.
        max_iterations: At most so many readings of the source are played, over all runs; None for
            all of them.
    """
    chosen = readings if start is None else readings[readings["ts"] >= pd.Timestamp(start)]
    return chosen if max_iterations is None else chosen.iloc[:max_iterations]


def remaining(
    readings: pd.DataFrame,
    last_played: Mapping[str, pd.Timestamp],
    start: datetime | None,
    max_iterations: int | None,
) -> pd.DataFrame:
    """The readings that are still to be played, in event order.

    Args:
        readings: `meter`, `ts` (datetime64[ns, UTC]), `value`; sorted by ts, then meter.
        last_played: Each meter's newest reading on the topic; a meter's readings up to it are
            left out.
        start: As for `to_play`.
        max_iterations: As for `to_play`.
    """
    chosen = to_play(readings, start, max_iterations)
    played = chosen["meter"].map(dict(last_played)).astype("datetime64[ns, UTC]")
    return chosen[~(chosen["ts"] <= played)].reset_index(drop=True)


def digest_until(readings: pd.DataFrame, last: Mapping[str, pd.Timestamp]) -> str:
    """Identifies the readings of a source up to each meter's last one.

    A source that only grew behind them keeps the digest.

    Args:
        readings: `meter`, `ts` (datetime64[ns, UTC]), `value`; sorted by ts, then meter.
        last: UTC instants by meter; meters that are missing do not count.
    """
    until = readings["meter"].map(dict(last)).astype("datetime64[ns, UTC]")
    part = readings.loc[readings["ts"] <= until, ["meter", "ts", "value"]]
    rows = pd.util.hash_pandas_object(part, index=False).to_numpy()
    return hashlib.sha256(rows.tobytes()).hexdigest()


@dataclass(frozen=True)
class Burst:
    """Readings that are sent together.

    Attributes:
        rows: The readings.
        due: Seconds after the start of the run at which they are due.
    """

    rows: pd.DataFrame
    due: float


def bursts(readings: pd.DataFrame, pace: Pace) -> Iterator[Burst]:
    """Cut the readings into bursts: history in large ones, then one a step of event time.

    Args:
        readings: As `remaining` returns them.
        pace: How fast they are due.
    """
    seconds = pace.seconds_a_step
    paced_from = 0
    if seconds == 0:
        paced_from = len(readings)
    elif pace.history_until is not None:
        paced_from = int((readings["ts"] < pace.history_until).sum())
    for first in range(0, paced_from, _BURST_ROWS):
        yield Burst(readings.iloc[first : min(first + _BURST_ROWS, paced_from)], 0.0)
    paced = readings.iloc[paced_from:]
    if paced.empty:
        return
    step = pd.Timedelta(minutes=pace.step_minutes)
    steps = ((paced["ts"] - paced["ts"].iloc[0]) // step).to_numpy()
    edges = np.flatnonzero(np.diff(steps)) + 1
    for rows, number in zip(
        np.split(np.arange(len(paced)), edges), steps[np.append(0, edges)], strict=True
    ):
        yield Burst(paced.iloc[rows[0] : rows[-1] + 1], float(number) * seconds)
