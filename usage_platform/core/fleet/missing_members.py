"""Which meters a group's sum lacks, each reported once.

Belongs here: when a meter counts as missing. Not here: the sums (`group_readings`), reporting it
(`defs`).

The time of the readings decides, and not a clock: a meter is missing where the group has a reading
of another meter an hour later. So it is the same live, in a fast playback, and after a standstill.
A group none of whose meters sends is reported by the silence of each.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from usage_platform.core.time.units import NS_AN_HOUR

WAIT = NS_AN_HOUR
"""How much newer (ns) readings of others are, when a meter counts as missing."""

_NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Missing:
    """A meter that a group lacks.

    Attributes:
        group: The group's name.
        meter: The meter's name.
        start: The first interval without a sum, ns since 1970 UTC.
    """

    group: str
    meter: str
    start: int

    @property
    def line(self) -> str:
        """What is missing, for people."""
        at = pd.Timestamp(self.start, tz="UTC").isoformat()
        return f"group {self.group}: no sum at {at}, as {self.meter} has no reading then"


class MissingMembers:
    """What is missing now. Not thread-safe; some 300 bytes for each meter of each group."""

    def __init__(self) -> None:
        self._newest: dict[str, int] = {}
        self._there: dict[tuple[str, str], int] = {}
        self._since: dict[tuple[str, str], int] = {}
        self._reported: set[tuple[str, str]] = set()

    def add(self, members: pd.DataFrame) -> list[Missing]:
        """Take in the members of some intervals.

        Args:
            members: `GroupReadings.members`.

        Returns:
            What is missing and was not reported before; it is again once it was there meanwhile.
            A gap before the newest reading of a meter is none of these.
        """
        there = members[members["is_there"]]
        self._note_newest(there.groupby(["group", "meter"])["start"].max())
        absent = members.loc[~members["is_there"], ["group", "meter", "start"]]
        pairs = zip(absent["group"], absent["meter"], strict=True)
        newest = np.array([self._there.get(pair, _NEVER) for pair in pairs], dtype=np.int64)
        later = absent.iloc[np.flatnonzero(absent["start"].to_numpy(np.int64) > newest)]
        for pair, start in _by_pair(later.groupby(["group", "meter"])["start"].min()):
            self._since.setdefault(pair, start)
        due = [
            (pair, start)
            for pair, start in self._since.items()
            if pair not in self._reported and start + WAIT <= self._newest.get(pair[0], start)
        ]
        self._reported.update(pair for pair, _ in due)
        return [Missing(*pair, start) for pair, start in sorted(due)]

    def _note_newest(self, newest: pd.Series) -> None:
        for pair, start in _by_pair(newest):
            self._newest[pair[0]] = max(start, self._newest.get(pair[0], start))
            self._there[pair] = max(start, self._there.get(pair, start))
            if self._since.get(pair, start + 1) <= start:
                del self._since[pair]
                self._reported.discard(pair)


def _by_pair(starts: pd.Series) -> list[tuple[tuple[str, str], int]]:
    pairs = starts.index.to_list()
    return list(zip(pairs, starts.tolist(), strict=True))
