"""Readings on the meter's own grid: one place an interval, with its place in the local week.

Belongs here: how an instant becomes a local day, a kind of day and a step of that day. Not here:
which days are rest days (`core.time.calendar`), what is expected at a step (`expected`).
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.units import NS_A_DAY, NS_A_MINUTE, NS_AN_HOUR

SUNDAY = 6


@dataclass(frozen=True, eq=False)
class Grid:
    """One meter's readings from an hour's start on, interval by interval; n places.

    Attributes:
        meter: Gives the interval and the local clock.
        start: The first interval's start in ns since 1970 UTC; a whole UTC hour.
        values: float64, shape (n,): kW, NaN where no usable reading is.
        day: int64, shape (n,): local days since 1970-01-01.
        weekday: int64, shape (n,): 0 is Monday; a rest day counts as Sunday.
        step: int64, shape (n,): which interval of the local day, by the wall clock.
    """

    meter: Meter
    start: int
    values: Floats
    day: Ints
    weekday: Ints
    step: Ints

    @property
    def interval(self) -> int:
        """Nanoseconds from one place to the next."""
        return self.meter.interval_minutes * NS_A_MINUTE

    def before_day(self, day: int) -> "Grid":
        """The part before a local day."""
        return self._part(slice(None, int(np.searchsorted(self.day, day))))

    def _part(self, at: slice) -> "Grid":
        return replace(
            self,
            values=self.values[at],
            day=self.day[at],
            weekday=self.weekday[at],
            step=self.step[at],
        )


def to_grid(instants: Ints, values: Floats, meter: Meter, calendar: Calendar, end: int) -> Grid:
    """Put readings onto the grid; what has no reading, or one that is not finite, is NaN.

    Args:
        instants: n interval starts, ns since 1970 UTC, ascending, each once; at least one. Of
            several within an interval the first counts, so that a later one changes nothing before.
        values: n powers, kW.
        meter: Gives the interval and the local clock.
        calendar: The rest days.
        end: End of the grid, ns since 1970 UTC, exclusive; not before the last reading.
    """
    interval = meter.interval_minutes * NS_A_MINUTE
    start = int(instants[0]) // NS_AN_HOUR * NS_AN_HOUR
    size = max(-(-(end - start) // interval), int((instants[-1] - start) // interval) + 1)
    placed = np.full(size, np.nan)
    usable = np.where(np.isfinite(values), values, np.nan)
    placed[(instants[::-1] - start) // interval] = usable[::-1]
    index = pd.DatetimeIndex(start + interval * np.arange(size)).tz_localize("UTC")
    wall = index.tz_convert(meter.zone).tz_localize(None).asi8
    day, within = np.divmod(wall, NS_A_DAY)
    weekday = (day + 3) % 7  # day 0, 1970-01-01, was a Thursday
    rest = calendar.rest_days(int(day[0]), int(day[-1]))
    weekday = np.where(np.isin(day, rest), SUNDAY, weekday)
    return Grid(meter, start, placed, day, weekday, within // interval)
