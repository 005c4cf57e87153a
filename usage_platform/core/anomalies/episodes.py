"""Episodes: odd readings that belong together, told once.

Belongs here: which odd readings make one episode, and what is told of it. An episode is a function
of the judged readings alone. Not here: judging them (`score`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.arrays import Ints
from usage_platform.core.meters import Meter
from usage_platform.core.time.units import NS_A_MINUTE, instants_of

MERGED_MINUTES = 60
"""Odd readings no farther apart belong to one episode."""

MERGED_NS = MERGED_MINUTES * NS_A_MINUTE
_NAME = "%Y-%m-%dT%H:%MZ"
_SEVERE, _NOTABLE = 3.0, 1.5

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


@dataclass(frozen=True)
class LastOdd:
    """The last odd reading before some others.

    Attributes:
        at: Its interval's start, ns since 1970 UTC.
        episode: The name of its episode.
    """

    at: int
    episode: str


def episode_names(instants: Ints, last: LastOdd | None) -> npt.NDArray[np.object_]:
    """The episode of each odd reading: when its first odd reading began.

    The name of an episode does not change while it goes on.

    Args:
        instants: n interval starts of a meter's odd readings, ns since 1970 UTC, ascending.
        last: The odd reading before them.
    """
    if not len(instants):
        return np.empty(0, dtype=object)
    apart = np.diff(instants, prepend=instants[0]) > MERGED_NS
    apart[0] = last is None or instants[0] - last.at > MERGED_NS
    first = np.maximum.accumulate(np.where(apart, np.arange(len(instants)), -1))
    opened = opened_at(instants[np.maximum(first, 0)])
    return np.where(first < 0, "" if last is None else last.episode, opened)


def opened_at(instants: Ints) -> npt.NDArray[np.object_]:
    """The names of episodes that began at these instants, ns since 1970 UTC."""
    return pd.DatetimeIndex(instants).strftime(_NAME).to_numpy(object)


def with_episodes(judged: pd.DataFrame) -> pd.DataFrame:
    """The judged readings with a column `episode`, empty where a reading is not odd.

    A longer series gives the earlier readings the same names.

    Args:
        judged: ts (datetime64[ns, UTC], ascending), flagged (bool) and others.
    """
    odd = judged["flagged"].to_numpy(np.bool_)
    names = np.full(len(judged), "", dtype=object)
    names[odd] = episode_names(instants_of(judged.loc[odd, "ts"]), None)
    return judged.assign(episode=names)


def episodes(judged: pd.DataFrame, meter: Meter) -> pd.DataFrame:
    """One row an episode (`EPISODE_COLUMNS`), by start.

    `end` is the end of the last odd reading's interval; `kind` the most frequent one; the peak is
    the reading with the largest score; `excess_kwh` sums reading minus expected over the odd
    readings (NaN while nothing is expected); severity is in words.

    Args:
        judged: From `with_episodes`.
        meter: Gives the interval.
    """
    odd = judged[judged["episode"] != ""]
    if odd.empty:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in EPISODE_COLUMNS})
    parts = [
        so_far(rows, np.array([len(rows)]), meter) for _, rows in odd.groupby("episode", sort=False)
    ]
    return pd.concat(parts, ignore_index=True).loc[:, list(EPISODE_COLUMNS)]


def so_far(odd: pd.DataFrame, counts: Ints, meter: Meter) -> pd.DataFrame:
    """What is told of one episode after some of its odd readings.

    Args:
        odd: Its odd readings by time: episode, ts (datetime64[ns, UTC]), value, expected, score,
            kind.
        counts: After how many of them, each 1 or more.
        meter: Gives the interval.

    Returns:
        One row a count: the columns of `episodes`, and `peak`, the position of its peak in `odd`.
    """
    value, expected, score = (
        odd[name].to_numpy(np.float64) for name in ("value", "expected", "score")
    )
    place = np.arange(len(odd))
    is_peak = score > np.concatenate([[-np.inf], np.maximum.accumulate(score)[:-1]])
    at = counts - 1
    peak = np.maximum.accumulate(np.where(is_peak, place, 0))[at]
    away = (value - expected) * (meter.interval_minutes / 60)
    is_known = np.maximum.accumulate(~np.isnan(away))
    excess = np.where(is_known, np.nancumsum(away), np.nan)
    names, kinds = np.unique(odd["kind"].to_numpy(str), return_inverse=True)
    seen = np.cumsum(kinds[:, None] == np.arange(len(names)), axis=0)
    ends = pd.DatetimeIndex(odd["ts"])[at] + pd.Timedelta(minutes=meter.interval_minutes)
    return pd.DataFrame(
        {
            "episode": odd["episode"].iloc[0],
            "start": odd["ts"].iloc[0],
            "end": ends,
            "kind": names[seen[at].argmax(axis=1)].astype(object),
            "readings": counts,
            "peak_value": value[peak],
            "peak_expected": expected[peak],
            "peak_score": score[peak],
            "excess_kwh": excess[at],
            "severity": severity(score[peak]),
            "peak": peak,
        }
    )


def severity(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.str_]:
    """Scores in words: `low`, `medium` from half as much again as the bar, `high` from thrice."""
    return np.select([scores >= _SEVERE, scores >= _NOTABLE], ["high", "medium"], "low")
