"""Sliding windows over the last hours and readings, advanced one reading or hour at a time.

Belongs here: trailing means, medians of hourly means, runs of equal readings, the largest reading
of a week. Each gives the result of the array formula of the same name, bit for bit. Not here: local
days (`stepwise.days`), the deviations computed from all this (`stepwise.deviations`).
"""

import math
from array import array
from bisect import bisect_left, insort
from collections import deque

import numpy as np

from usage_platform.core.arrays import Floats
from usage_platform.core.detector.features import LEAST_SHARE, run_lengths
from usage_platform.core.detector.rules import GROSS_TIMES, GROSS_WINDOW_DAYS

_UNKNOWN = math.nan


class Window:
    """A trailing mean (`features.trailing_mean`) from prefix sums that end one interval back."""

    __slots__ = ("_beyond", "_least", "_nearest")

    def __init__(self, nearest: int, farthest: int) -> None:
        """From `nearest` (1 or more) to `farthest` intervals back, both inclusive."""
        self._nearest = -nearest
        self._beyond = -farthest - 1
        self._least = LEAST_SHARE * (farthest - nearest + 1)

    def mean(self, sums: "array[float]", known: "array[int]") -> float:
        """The mean; 0 where less than a third of the values is known."""
        count = known[self._nearest] - known[self._beyond]
        if count < self._least:
            return 0.0
        return (sums[self._nearest] - sums[self._beyond]) / count


class Prefixes:
    """Prefix sums of three values that each reading has; an interval without one has none.

    Attributes:
        known: Count of readings up to each interval; the last item is for the last interval.
        slow: Sums of the slow residuals, clipped.
        daily: Sums of the daily residuals, clipped.
        long: Sums of the long deviations, clipped.
    """

    __slots__ = ("_kept", "daily", "known", "long", "slow")

    def __init__(self, kept: int) -> None:
        """Start without readings; means look back `kept` intervals at most."""
        self._kept = kept
        self.known = array("q", [0]) * (kept + 1)
        self.slow, self.daily, self.long = (array("d", [0.0]) * (kept + 1) for _ in range(3))

    def load(self, slow: Floats, daily: Floats) -> None:
        """Load the past: shape (n,) each, NaN where unknown; `long` stays 0."""
        slow, daily = slow[-self._kept :], daily[-self._kept :]
        self.known.extend(np.cumsum(~np.isnan(slow)).tolist())
        self.slow.extend(np.cumsum(np.nan_to_num(slow)).tolist())
        self.daily.extend(np.cumsum(np.nan_to_num(daily)).tolist())
        self.long.extend([0.0] * len(slow))

    def add(self, slow: float, daily: float, long: float) -> None:
        """Add the next interval, which has a reading."""
        sums = self.slow
        sums.append(sums[-1] + slow)
        sums = self.daily
        sums.append(sums[-1] + daily)
        sums = self.long
        sums.append(sums[-1] + long)
        known = self.known
        known.append(known[-1] + 1)

    def skip(self, count: int) -> None:
        """Add `count` intervals without a reading."""
        for sums in (self.slow, self.daily, self.long):
            sums.extend(sums[-1:] * count)
        self.known.extend(self.known[-1:] * count)

    def trim(self) -> None:
        """Drop what no mean looks back to, once it is as much as what is kept."""
        if len(self.known) > 2 * self._kept:
            last = self.known[-1]
            self.known = array("q", [count - last for count in self.known[-self._kept - 1 :]])
            self.slow, self.daily, self.long = map(self._recent, (self.slow, self.daily, self.long))

    def _recent(self, sums: "array[float]") -> "array[float]":
        # Counted from 0 again, so that the sums stay within what is exact.
        last = sums[-1]
        return array("d", [value - last for value in sums[-self._kept - 1 :]])


class MedianOfHours:
    """The median of the last hourly means (`features._median_of_hours`), hour by hour."""

    def __init__(self, hours: int, least: int, otherwise: float) -> None:
        self._hours = hours
        self._least = least
        self._otherwise = otherwise
        self._means: deque[float | None] = deque()
        self._ordered: list[float] = []

    def push(self, total: float, known: int) -> None:
        """Add an hour with this sum and this count of values."""
        if len(self._means) == self._hours:
            oldest = self._means.popleft()
            if oldest is not None:
                del self._ordered[bisect_left(self._ordered, oldest)]
        mean = total / known if known else None
        self._means.append(mean)
        if mean is not None:
            insort(self._ordered, mean)

    def level(self) -> float:
        """The median; `otherwise` if fewer than `least` hours have values."""
        ordered = self._ordered
        size = len(ordered)
        if size < self._least:
            return self._otherwise
        middle = size // 2
        return ordered[middle] if size % 2 else (ordered[middle] + ordered[middle - 1]) / 2


class Run:
    """The number of equal readings in a row (`features.run_lengths`)."""

    __slots__ = ("_parts", "_value", "_within", "length")

    def __init__(self, within: int) -> None:
        """Look at the last `within` intervals."""
        self.length = 0
        self._within = within
        self._value: float = _UNKNOWN
        # Intervals of the run without a gap between them: the first one, and that behind the last.
        self._parts: deque[list[int]] = deque()

    def load(self, values: Floats, begin: int) -> None:
        """Load the past: shape (n,), NaN where there is no reading, from interval `begin` on."""
        known = np.flatnonzero(~np.isnan(values))
        if len(known):
            length = int(run_lengths(values, self._within)[known[-1]])
            for at in known[-length:].tolist():
                self.add(begin + at, float(values[at]))

    def add(self, index: int, value: float) -> int:
        """Add a reading of an interval later than all before; returns the length of its run."""
        parts = self._parts
        if value != self._value:
            self._value, self.length = value, 0
            parts.clear()
        if parts and parts[-1][1] == index:
            parts[-1][1] += 1
        else:
            parts.append([index, index + 1])
        self.length += 1
        first = index - self._within + 1
        while parts[0][0] < first:
            begin, end = parts[0]
            self.length -= min(end, first) - begin
            if end > first:
                parts[0][0] = first
            else:
                parts.popleft()
        return self.length


class GrossReadings:
    """`rules.gross_without_model`, reading by reading."""

    def __init__(self, per_hour: int) -> None:
        self._window = GROSS_WINDOW_DAYS * 24 * per_hour
        self._least = 24 * per_hour
        self._known: deque[int] = deque()
        self._falling: deque[tuple[int, float]] = deque()

    def push(self, index: int, value: float) -> bool:
        """Add a reading; returns whether it is gross.

        Args:
            index: Its interval; later than all before.
            value: kW.
        """
        value = abs(value)
        known, falling = self._known, self._falling
        first = index - self._window
        while known and known[0] < first:
            known.popleft()
        while falling and falling[0][0] < first:
            falling.popleft()
        gross = len(known) >= self._least and value > GROSS_TIMES * falling[0][1]
        known.append(index)
        while falling and falling[-1][1] <= value:
            falling.pop()
        falling.append((index, value))
        return gross
