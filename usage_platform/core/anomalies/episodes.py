"""Which anomalous readings make one episode, and the severity of a score.

Belongs here: the names of episodes, a function of the scored readings alone. Not here: scoring
(`core.detector`), what an episode amounts to (`episode_summary`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.arrays import Ints
from usage_platform.core.time.units import NS_A_MINUTE, instants_of

MERGED_MINUTES = 60
"""Anomalous readings no farther apart belong to one episode."""

MERGED_NS = MERGED_MINUTES * NS_A_MINUTE
_NAME = "%Y-%m-%dT%H:%MZ"
_SEVERE, _NOTABLE = 3.0, 1.5


@dataclass(frozen=True)
class LastAnomaly:
    """The last anomalous reading before some others.

    Attributes:
        at: Its interval's start, ns since 1970 UTC.
        episode: The name of its episode.
    """

    at: int
    episode: str


def episode_names(instants: Ints, last: LastAnomaly | None) -> npt.NDArray[np.object_]:
    """The name of each anomalous reading's episode: the start of the episode's first one.

    The name of an episode does not change while it goes on.

    Args:
        instants: n interval starts of a meter's anomalous readings, ns since 1970 UTC, ascending.
        last: The anomalous reading before them.
    """
    if not len(instants):
        return np.empty(0, dtype=object)
    apart = np.diff(instants, prepend=instants[0]) > MERGED_NS
    apart[0] = last is None or instants[0] - last.at > MERGED_NS
    first = np.maximum.accumulate(np.where(apart, np.arange(len(instants)), -1))
    opened = opened_at(instants[np.maximum(first, 0)])
    return np.where(first < 0, "" if last is None else last.episode, opened)


def opened_at(instants: Ints) -> npt.NDArray[np.object_]:
    """The names of episodes that start at these instants, ns since 1970 UTC."""
    return pd.DatetimeIndex(instants).strftime(_NAME).to_numpy(object)


def episode_start(name: str) -> int:
    """The start of an episode by its name, ns since 1970 UTC; of an episode of a gap as well."""
    return pd.Timestamp(name).value


def with_episodes(scored: pd.DataFrame) -> pd.DataFrame:
    """The scored readings with a column `episode`, empty where a reading is not flagged.

    A longer series gives the earlier readings the same names.

    Args:
        scored: ts (datetime64[ns, UTC], ascending), flagged (bool) and others.
    """
    flagged = scored["flagged"].to_numpy(np.bool_)
    names = np.full(len(scored), "", dtype=object)
    names[flagged] = episode_names(instants_of(scored.loc[flagged, "ts"]), None)
    return scored.assign(episode=names)


def severity(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.str_]:
    """The severity of scores: `medium` from 1.5 times the threshold on, `high` from 3 times on."""
    return np.select([scores >= _SEVERE, scores >= _NOTABLE], ["high", "medium"], "low")
