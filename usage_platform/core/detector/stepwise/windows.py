"""What the live scorer remembers of the last hours and readings, moved on one at a time.

Belongs here: trailing means, medians of hours, runs, the largest reading of a week. Each gives what
the vectorised formula of the same rule gives, bit for bit. Not here: local days (`live_days`), the
deviations that are made of all this (`live_state`).
"""

import math
from bisect import bisect_left, insort
from collections import deque

import numpy as np

from usage_platform.core.arrays import Floats
from usage_platform.core.detector.features import LEAST_SHARE, run_lengths
from usage_platform.core.detector.rules import GROSS_TIMES, GROSS_WINDOW_DAYS

_UNKNOWN = math.nan


class Window:
    """A trailing mean (`features.trailing_mean`) read off prefix sums that end one place back."""

    __slots__ = ("_beyond", "_least", "_nearest")

    def __init__(self, nearest: int, farthest: int) -> None:
        """From `nearest` to `farthest` places back, both inclusive; `nearest` is 1 or more."""
        self._nearest = -nearest
        self._beyond = -farthest - 1
        self._least = LEAST_SHARE * (farthest - nearest + 1)

    def mean(self, sums: list[float], known: list[int]) -> float:
        """The mean; 0 where less than a third is known."""
        count = known[self._nearest] - known[self._beyond]
        if count < self._least:
            return 0.0
        return (sums[self._nearest] - sums[self._beyond]) / count


class Prefixes:
    """Prefix sums of three kinds of deviations that are known in the same places.

    Attributes:
        known: How many were known up to each place; the last item is for the last place.
        slow: Sums of what the slow levels leave, clipped.
        daily: Sums of what the daily levels leave, clipped.
        long: Sums of the long deviations, clipped.
    """

    __slots__ = ("_kept", "daily", "known", "long", "slow")

    def __init__(self, kept: int) -> None:
        """All unknown; means look back `kept` places at most."""
        self._kept = kept
        self.known = [0] * (kept + 1)
        self.slow, self.daily, self.long = ([0.0] * (kept + 1) for _ in range(3))

    def load(self, slow: Floats, daily: Floats) -> None:
        """Take in the past at once: shape (n,) each, NaN where unknown; `long` stays 0."""
        self.known += np.cumsum(~np.isnan(slow)).tolist()
        self.slow += np.cumsum(np.nan_to_num(slow)).tolist()
        self.daily += np.cumsum(np.nan_to_num(daily)).tolist()
        self.long += [0.0] * len(slow)

    def add(self, slow: float, daily: float, long: float) -> None:
        """The next place."""
        sums = self.slow
        sums.append(sums[-1] + slow)
        sums = self.daily
        sums.append(sums[-1] + daily)
        sums = self.long
        sums.append(sums[-1] + long)
        known = self.known
        known.append(known[-1] + 1)

    def skip(self, places: int) -> None:
        """So many places are unknown."""
        for sums in (self.slow, self.daily, self.long):
            sums += [sums[-1]] * places
        self.known += [self.known[-1]] * places

    def trim(self) -> None:
        """Drop what no mean looks back to, once it is much."""
        if len(self.known) > 4 * self._kept:
            self.known = [count - self.known[-1] for count in self.known[-self._kept - 1 :]]
            self.slow, self.daily, self.long = map(self._recent, (self.slow, self.daily, self.long))

    def _recent(self, sums: list[float]) -> list[float]:
        # Counted from 0 again, so that they never grow out of what is exact.
        last = sums[-1]
        return [value - last for value in sums[-self._kept - 1 :]]


class MedianOfHours:
    """`features._median_of_hours`, hour by hour."""

    def __init__(self, hours: int, least: int, otherwise: float) -> None:
        self._hours = hours
        self._least = least
        self._otherwise = otherwise
        self._means: deque[float | None] = deque()
        self._ordered: list[float] = []

    def push(self, total: float, known: int) -> None:
        """Add an hour.

        Args:
            total: Sum of its values.
            known: How many it has.
        """
        if len(self._means) == self._hours:
            oldest = self._means.popleft()
            if oldest is not None:
                del self._ordered[bisect_left(self._ordered, oldest)]
        mean = total / known if known else None
        self._means.append(mean)
        if mean is not None:
            insort(self._ordered, mean)

    def level(self) -> float:
        """The median of the hours so far; `otherwise` if fewer than `least` are known."""
        ordered = self._ordered
        size = len(ordered)
        if size < self._least:
            return self._otherwise
        middle = size // 2
        return ordered[middle] if size % 2 else (ordered[middle] + ordered[middle - 1]) / 2


class Run:
    """How many readings in a row, the last one included, are equal."""

    __slots__ = ("_value", "length")

    def __init__(self) -> None:
        self.length = 0
        self._value = _UNKNOWN

    def load(self, values: Floats) -> None:
        """Take in the past at once: shape (n,), NaN where there is none."""
        known = np.flatnonzero(~np.isnan(values))
        if len(known):
            self.length = int(run_lengths(values)[known[-1]])
            self._value = float(values[known[-1]])

    def add(self, value: float) -> int:
        """How long the run is with this reading."""
        if value == self._value:
            self.length += 1
        else:
            self.length = 1
            self._value = value
        return self.length


class GrossLately:
    """`rules.gross_without_model`, reading by reading."""

    def __init__(self, per_hour: int) -> None:
        self._window = GROSS_WINDOW_DAYS * 24 * per_hour
        self._least = 24 * per_hour
        self._known: deque[int] = deque()
        self._falling: deque[tuple[int, float]] = deque()

    def push(self, index: int, value: float) -> bool:
        """Whether the reading is gross; it is remembered.

        Args:
            index: Its place; later than all before.
            value: kW.
        """
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
