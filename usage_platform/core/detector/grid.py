"""A meter's readings on a regular grid: one position per interval, with its local day and time.

Belongs here: the local day, weekday and time of day of an instant. Not here: which days are rest
days (`core.time.calendar`), the expected values (`expected`).
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.day_numbers import weekday_numbers
from usage_platform.core.time.units import NS_A_DAY, NS_A_MINUTE, NS_AN_HOUR

SUNDAY = 6
# A meter is put on a few grids. One of half a year of five minutes takes 1.2 MB here.
_KEPT_RANGES = 4


@dataclass(frozen=True, eq=False)
class Grid:
    """One meter's readings, interval by interval; n positions.

    Functions that look at hours of UTC need one that begins with such an hour, as `to_grid` makes.

    Attributes:
        meter: Gives the interval and the local clock.
        start: The first interval's start in ns since 1970 UTC.
        values: float64, shape (n,): kW, NaN where there is no finite reading.
        day: int64, shape (n,): local days since 1970-01-01.
        weekday: int64, shape (n,): 0 is Monday; a rest day counts as Sunday.
        step: int64, shape (n,): the interval of the local day by the wall clock, from 0.

    Intervals begin on the meter's own clock, positions where the grid does. Where they differ, as
    those of an hour do in zones half an hour off UTC, the local day and time of a position are
    those of the interval that begins within it.
    """

    meter: Meter
    start: int
    values: Floats
    day: Ints
    weekday: Ints
    step: Ints

    @property
    def interval(self) -> int:
        """Nanoseconds from one position to the next."""
        return self.meter.interval_minutes * NS_A_MINUTE

    def before_day(self, day: int) -> "Grid":
        """The positions before a local day (days since 1970-01-01)."""
        return self.part(slice(None, int(np.searchsorted(self.day, day))))

    def part(self, at: slice) -> "Grid":
        """Some positions that follow each other."""
        first = at.indices(len(self.values))[0]
        return replace(
            self,
            start=self.start + first * self.interval,
            values=self.values[at],
            day=self.day[at],
            weekday=self.weekday[at],
            step=self.step[at],
        )


def to_grid(
    instants: Ints,
    values: Floats,
    meter: Meter,
    calendar: Calendar,
    end: int,
    start: int | None = None,
) -> Grid:
    """Put readings on the grid; intervals without a finite reading are NaN.

    Args:
        instants: n interval starts, ns since 1970 UTC, ascending, each once; at least one. Of
            several in one interval the first counts: a later reading changes no earlier result.
        values: n powers, kW.
        meter: Gives the interval and the local clock.
        calendar: The rest days.
        end: End of the grid, ns since 1970 UTC, exclusive; not before the last reading.
        start: Start of the grid, ns since 1970 UTC, not after the first reading; None for the
            start of its hour of UTC.
    """
    interval = meter.interval_minutes * NS_A_MINUTE
    if start is None:
        start = int(instants[0]) // NS_AN_HOUR * NS_AN_HOUR
    size = max(-(-(end - start) // interval), int((instants[-1] - start) // interval) + 1)
    gridded = np.full(size, np.nan)
    usable = np.where(np.isfinite(values), values, np.nan)
    gridded[(instants[::-1] - start) // interval] = usable[::-1]
    local = _local_times(start, interval, size, meter.zone, calendar)
    return Grid(meter, start, gridded, *local)


@lru_cache(maxsize=_KEPT_RANGES)
def _local_times(
    start: int, interval: int, size: int, zone: ZoneInfo, calendar: Calendar
) -> tuple[Ints, Ints, Ints]:
    """`day`, `weekday` and `step` of `Grid`; read-only, as other meters' grids have the same.

    Meters are trained, and loaded when a scorer starts, over the same time one after the other.
    """
    begins = start + interval * np.arange(size)
    wall = _wall_clock(begins, zone)
    until_interval = -wall % interval
    if until_interval.any():
        wall = _wall_clock(begins + until_interval, zone)
    day, within = np.divmod(wall, NS_A_DAY)
    found = (day, weekdays_of(day, calendar), within // interval)
    for one in found:
        one.flags.writeable = False
    return found


def _wall_clock(instants: Ints, zone: ZoneInfo) -> Ints:
    """What the clock shows at instants, both in ns since 1970."""
    index = pd.DatetimeIndex(instants).tz_localize("UTC").tz_convert(zone)
    return index.tz_localize(None).as_unit("ns").asi8


def weekdays_of(day: Ints, calendar: Calendar) -> Ints:
    """The weekday of local days; 0 is Monday, a rest day counts as Sunday.

    Args:
        day: int64, shape (n,): days since 1970-01-01, ascending; at least one.
        calendar: The rest days.
    """
    rest = calendar.rest_days(int(day[0]), int(day[-1]))
    weekday = weekday_numbers(day)
    return np.where(np.isin(day, rest), SUNDAY, weekday)
