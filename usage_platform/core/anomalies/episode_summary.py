"""The episodes that stand, for people: one row an episode, whatever the number of odd readings.

Belongs here: rows of the table `anomalies` into episodes with what was expected. Not here: which
odd readings make one episode (`detector.episodes`), what is told of it as it goes on
(`episode_events`).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from usage_platform.core.anomalies.anomaly import TOLD
from usage_platform.core.anomalies.episodes import so_far
from usage_platform.core.meters import Meter


@dataclass(frozen=True)
class Episode:
    """One episode. Instants are UTC; unknown numbers are NaN.

    Attributes:
        meter: Name of the meter.
        name: The episode's name: when its first odd reading began.
        start: That instant.
        end: End of the last odd reading's interval, exclusive.
        kind: The most frequent kind of its readings.
        direction: Whether the peak lies above, below or at what was expected.
        readings: Odd readings.
        peak_at: The interval's start of the reading with the largest score.
        peak_kw: That reading.
        expected_kw: What was expected of it.
        expected_low_kw: The lower end of what was ordinary there.
        expected_high_kw: Its upper end.
        deviation_kw: The reading minus what was expected.
        excess_kwh: Energy of the odd readings above what was expected; below it negative.
        score: The largest score; 1 is the bar.
        severity: low, medium, high.
        explanation: Why the peak is odd, for people.
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


def standing_episodes(anomalies: pd.DataFrame, meter: Meter) -> list[Episode]:
    """The episodes of a meter that were not withdrawn, the newest first.

    Args:
        anomalies: The meter's rows of the table `anomalies`, any order; whole episodes.
        meter: The meter.
    """
    told = anomalies[anomalies["status"].fillna(TOLD) == TOLD].sort_values("event_time")
    found = [_episode(rows, meter) for _, rows in told.groupby("episode", sort=False)]
    return sorted(found, key=lambda episode: episode.start, reverse=True)


def _episode(rows: pd.DataFrame, meter: Meter) -> Episode:
    judged = rows.rename(columns={"event_time": "ts", "usage": "value"})
    said = so_far(judged, np.array([len(rows)]), meter).iloc[0]
    peak = rows.iloc[int(said["peak"])]
    return Episode(
        meter=meter.name,
        name=str(said["episode"]),
        start=said["start"],
        end=said["end"],
        kind=str(said["kind"]),
        direction=str(peak["direction"]),
        readings=len(rows),
        peak_at=peak["event_time"],
        peak_kw=float(said["peak_value"]),
        expected_kw=float(said["peak_expected"]),
        expected_low_kw=float(peak["expected_low"]),
        expected_high_kw=float(peak["expected_high"]),
        deviation_kw=float(said["peak_value"] - said["peak_expected"]),
        excess_kwh=float(said["excess_kwh"]),
        score=float(said["peak_score"]),
        severity=str(said["severity"]),
        explanation=str(peak["explanation"]),
    )
