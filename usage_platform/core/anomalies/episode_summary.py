"""What an episode amounts to: start, end, kind, peak, energy, severity.

Belongs here: the one summary that the page, the messages, the monthly report and `replay` show, and
which rows of the table `anomalies` it takes to have an episode whole. Not here: which anomalous
readings make one episode (`episodes`), when a message is published (`episode_messages`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from usage_platform.core.anomalies.anomaly import energy_hours, not_withdrawn
from usage_platform.core.anomalies.episodes import MERGED_MINUTES, severity
from usage_platform.core.arrays import Ints
from usage_platform.core.meters import Meter

EPISODE_COLUMNS = (
    "episode",
    "start",
    "end",
    "kind",
    "readings",
    "peak_value",
    "peak_expected",
    "peak_score",
    "excess_kwh",
    "severity",
)

_MERGED = pd.Timedelta(minutes=MERGED_MINUTES)
_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Episode:
    """One episode. Instants are UTC; unknown numbers are NaN.

    Attributes:
        meter: Name of the meter.
        name: The episode's name: when its first anomalous reading began.
        start: That instant.
        end: End of the last anomalous reading's interval, exclusive.
        kind: The most frequent kind of its readings.
        direction: Whether the peak lies above, below or at what was expected.
        readings: Number of anomalous readings.
        peak_at: Interval start of the reading with the largest score, the first one of several.
        peak_kw: That reading.
        expected_kw: Expected value of that reading.
        expected_low_kw: Lower end of its expected range.
        expected_high_kw: Upper end of its expected range.
        deviation_kw: The reading minus its expected value.
        excess_kwh: Energy of the anomalous readings minus the expected one; below it negative.
        score: The largest score; 1 is the threshold.
        severity: low, medium, high.
        explanation: Why the peak is anomalous, for people.
    """

    meter: str
    name: str
    start: pd.Timestamp
    end: pd.Timestamp
    kind: str
    direction: str
    readings: int
    peak_at: pd.Timestamp
    peak_kw: float
    expected_kw: float
    expected_low_kw: float
    expected_high_kw: float
    deviation_kw: float
    excess_kwh: float
    score: float
    severity: str
    explanation: str

    def overlaps(self, start: pd.Timestamp, end: pd.Timestamp) -> bool:
        """Whether it has an instant in common with a span, `end` exclusive."""
        return self.start < end and self.end > start


def running_summary(anomalous: pd.DataFrame, counts: Ints, meter: Meter) -> pd.DataFrame:
    """The summary of one episode after some of its anomalous readings.

    Args:
        anomalous: Its anomalous readings by time: episode, event_time (datetime64[ns, UTC]), usage
            and expected (kW), score, kind.
        counts: int64, shape (m,): after how many of them, each 1 or more.
        meter: Gives the interval.

    Returns:
        One row a count: `EPISODE_COLUMNS`, and `peak`, the position of its peak in `anomalous`.
        `end` is the end of the last reading's interval; `kind` the most frequent one; the peak is
        the first reading with the largest score; `excess_kwh` sums reading minus expected value,
        NaN while none is expected, and where the meter's unit is not kW.
    """
    usage, expected, score = (
        anomalous[name].to_numpy(np.float64) for name in ("usage", "expected", "score")
    )
    position = np.arange(len(anomalous))
    is_peak = score > np.concatenate([[-np.inf], np.maximum.accumulate(score)[:-1]])
    at = counts - 1
    peak = np.maximum.accumulate(np.where(is_peak, position, 0))[at]
    excess = (usage - expected) * energy_hours(meter)
    is_known = np.maximum.accumulate(~np.isnan(excess))
    total = np.where(is_known, np.nancumsum(excess), np.nan)
    names, kinds = np.unique(anomalous["kind"].to_numpy(str), return_inverse=True)
    frequency = np.cumsum(kinds[:, None] == np.arange(len(names)), axis=0)
    interval = pd.Timedelta(minutes=meter.interval_minutes)
    return pd.DataFrame(
        {
            "episode": anomalous["episode"].iloc[0],
            "start": anomalous["event_time"].iloc[0],
            "end": pd.DatetimeIndex(anomalous["event_time"])[at] + interval,
            "kind": names[frequency[at].argmax(axis=1)].astype(object),
            "readings": counts,
            "peak_value": usage[peak],
            "peak_expected": expected[peak],
            "peak_score": score[peak],
            "excess_kwh": total[at],
            "severity": severity(score[peak]),
            "peak": peak,
        }
    )


def episodes(scored: pd.DataFrame, meter: Meter) -> pd.DataFrame:
    """One row an episode of scored readings (`EPISODE_COLUMNS`), by start.

    Args:
        scored: From `with_episodes`.
        meter: Gives the interval.
    """
    rows = scored[scored["episode"] != ""].rename(columns={"ts": "event_time", "value": "usage"})
    if rows.empty:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in EPISODE_COLUMNS})
    parts = [_summary(part, meter) for _, part in rows.groupby("episode", sort=False)]
    return pd.concat(parts, ignore_index=True).loc[:, list(EPISODE_COLUMNS)]


def standing_episodes(anomalies: pd.DataFrame, meter: Meter) -> list[Episode]:
    """The episodes of a meter that were not withdrawn, the newest first.

    Args:
        anomalies: The meter's rows of the table `anomalies`, any order; whole episodes.
        meter: The meter.
    """
    rows = not_withdrawn(anomalies).sort_values("event_time")
    found = [_episode(part, meter) for _, part in rows.groupby("episode", sort=False)]
    return sorted(found, key=lambda episode: episode.start, reverse=True)


def whole_episodes(
    read: Callable[[date, date], pd.DataFrame], first: date, last: date
) -> pd.DataFrame:
    """The anomalies of every episode with one in a span of days, those outside of it too.

    Args:
        read: A meter's rows of the table `anomalies` (`event_time`, `episode`, `status` and others)
            from one UTC day to another, inclusive.
        first: The first UTC day.
        last: The last UTC day, inclusive.

    Returns:
        The rows that were not withdrawn, in the order in which they were read.
    """
    begin, end, more = first, last, _A_DAY
    while True:
        rows = not_withdrawn(read(begin, end))
        if rows.empty:
            return rows
        times = rows["event_time"]
        inside = (times >= _midnight(first)) & (times < _midnight(last + _A_DAY))
        whole = rows[rows["episode"].isin(rows.loc[inside, "episode"])]
        # A reading of the same episode may lie beyond the days read, but no farther than that.
        goes_back = bool((whole["event_time"] < _midnight(begin) + _MERGED).any())
        goes_on = bool((whole["event_time"] >= _midnight(end + _A_DAY) - _MERGED).any())
        if not goes_back and not goes_on:
            return whole
        begin -= more if goes_back else timedelta()
        end += more if goes_on else timedelta()
        more *= 2


def _midnight(day: date) -> pd.Timestamp:
    return pd.Timestamp(day, tz="UTC")


def _summary(rows: pd.DataFrame, meter: Meter) -> pd.DataFrame:
    return running_summary(rows, np.array([len(rows)]), meter)


def _episode(rows: pd.DataFrame, meter: Meter) -> Episode:
    summary = _summary(rows, meter).iloc[0]
    peak = rows.iloc[int(summary["peak"])]
    return Episode(
        meter=meter.name,
        name=str(summary["episode"]),
        start=summary["start"],
        end=summary["end"],
        kind=str(summary["kind"]),
        direction=str(peak["direction"]),
        readings=len(rows),
        peak_at=peak["event_time"],
        peak_kw=float(summary["peak_value"]),
        expected_kw=float(summary["peak_expected"]),
        expected_low_kw=float(peak["expected_low"]),
        expected_high_kw=float(peak["expected_high"]),
        deviation_kw=float(summary["peak_value"] - summary["peak_expected"]),
        excess_kwh=float(summary["excess_kwh"]),
        score=float(summary["peak_score"]),
        severity=str(summary["severity"]),
        explanation=str(peak["explanation"]),
    )
