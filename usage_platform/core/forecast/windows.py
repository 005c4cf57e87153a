"""A meter's readings cut into windows of 24 hours that end where a forecast begins.

Belongs here: from readings to windows, and which instants the forecast's window has. Not here: what
is expected of a window (`levels`), the forecast (`day_ahead`).

A forecast made at 15:00 has windows from 15:00 to 15:00, one made at midnight has local days. So
every window before the forecast's is complete when it is made, and no step of it needs a rule of
its own for what was known.
"""

from dataclasses import dataclass

import numpy as np

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.expected import days_by_step
from usage_platform.core.detector.grid import Grid, to_grid
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.clock_hours import clock_hours
from usage_platform.core.time.units import NS_A_MINUTE, NS_AN_HOUR

_LONGEST_WINDOW = 26 * NS_AN_HOUR


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of 24 hours of the wall clock; n of them, the last one is to be forecast.

    Attributes:
        meter: The meter.
        calendar: The rest days.
        first_day: The local day on which the first window begins, in days since 1970-01-01.
        split: How many steps of a window lie before its local midnight; all of them where a window
            is a local day.
        values: float64, shape (n, steps): kW, NaN where there is no reading and in the last row. Of
            a local hour that occurs twice the second occurrence; one that is skipped is NaN.
        weekdays: Two of int64, shape (n,): the weekday of the steps before `split` and of the
            others; 0 is Monday, a rest day counts as Sunday.
        start: The forecast's first interval, ns since 1970 UTC.
        steps: int64, shape (intervals,): the step of the last window at each interval from `start`
            on; 23, 24 or 25 hours of them.
    """

    meter: Meter
    calendar: Calendar
    first_day: int
    split: int
    values: Floats
    weekdays: tuple[Ints, Ints]
    start: int
    steps: Ints

    @property
    def week(self) -> Ints:
        """Shape (n,): the number of each window's week, from Monday on, ascending."""
        return (self.first_day + np.arange(len(self.values)) + 3) // 7

    @property
    def parts(self) -> tuple[tuple[slice, Ints], ...]:
        """The steps before and after the local midnight with their weekdays; none without steps."""
        size = self.values.shape[1]
        both = (
            (slice(0, self.split), self.weekdays[0]),
            (slice(self.split, size), self.weekdays[1]),
        )
        return tuple(part for part in both if part[0].start < part[0].stop)

    @property
    def weekday_at(self) -> Ints:
        """Shape (n, steps): the weekday of each step."""
        found = np.empty(self.values.shape, dtype=np.int64)
        found[:, : self.split] = self.weekdays[0][:, None]
        found[:, self.split :] = self.weekdays[1][:, None]
        return found


def cut_windows(series: Series, meter: Meter, calendar: Calendar, made_at: int) -> Windows | None:
    """The windows of a forecast.

    Args:
        series: The meter's readings; those of intervals that end after `made_at` are not used.
        meter: Gives the interval and the local clock.
        calendar: The rest days.
        made_at: When the forecast is made, ns since 1970 UTC. It begins with the first interval
            that starts then or later.

    Returns:
        None where no reading was known by then.
    """
    interval = meter.interval_minutes * NS_A_MINUTE
    known = series.until(made_at - interval + 1)
    if not len(known.instants):
        return None
    # By the meter's clock: where that is half an hour off, so are its intervals of an hour.
    first = int(clock_hours(meter.timezone).starts(known.instants[:1])[0])
    start = first - (first - made_at) // interval * interval
    end = start + _LONGEST_WINDOW
    grid = to_grid(known.instants, known.values, meter, calendar, end, first)
    position = (start - grid.start) // interval
    day, step = int(grid.day[position]), int(grid.step[position])
    table, weekday = days_by_step(grid)
    last = day - int(grid.day[0])
    values = np.hstack([table[: last + 1, step:], table[1 : last + 2, :step]])
    values[-1] = np.nan
    return Windows(
        meter=meter,
        calendar=calendar,
        first_day=int(grid.day[0]),
        split=table.shape[1] - step,
        values=values,
        weekdays=(weekday[: last + 1], weekday[1 : last + 2]),
        start=start,
        steps=_steps(grid, position, day, step),
    )


def _steps(grid: Grid, position: int, day: int, step: int) -> Ints:
    """The step in the window of each interval from a position on."""
    days, steps = grid.day[position:], grid.step[position:]
    within = ((days == day) & (steps >= step)) | ((days == day + 1) & (steps < step))
    return (steps[within] - step) % (24 * grid.meter.readings_per_hour)
