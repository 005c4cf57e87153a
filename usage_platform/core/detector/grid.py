"""Readings on the meter's own grid: one place an interval, with its place in the local week.

Belongs here: how an instant becomes a local day, a kind of day and a step of that day, and which
days count as rest days. Not here: what is expected at a step (`expected`).
"""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.meters import Meter
from usage_platform.core.time.opening_hours import public_holidays

NS_A_MINUTE = 60 * 10**9
NS_AN_HOUR = 60 * NS_A_MINUTE
NS_A_DAY = 24 * NS_AN_HOUR
SUNDAY = 6

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Calendar:
    """Days on which a building rests although the week says otherwise; they count as Sundays.

    Attributes:
        country: Country code for the `holidays` library; None for no public holidays.
        subdivision: State or province in it.
        closed: The building's own closing days.
    """

    country: str | None = None
    subdivision: str | None = None
    closed: tuple[date, ...] = ()

    def rest_days(self, first: int, last: int) -> Ints:
        """The rest days of a span, in days since 1970-01-01, ascending.

        Args:
            first: First day of the span, in days since 1970-01-01.
            last: Last day of it, the same.
        """
        days = np.array(self.closed, dtype="datetime64[D]").astype(np.int64)
        if self.country is not None:
            public = public_holidays(first, last, self.country, self.subdivision)
            days = np.concatenate([days, public])
        return np.unique(days[(days >= first) & (days <= last)])


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


def instants_of(ts: pd.Series) -> Ints:
    """Instants (datetime64 of any unit, with a zone) as ns since 1970 UTC."""
    return ts.to_numpy("datetime64[ns]").astype(np.int64)


def place(instants: Ints, values: Floats, meter: Meter, calendar: Calendar, end: int) -> Grid:
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
