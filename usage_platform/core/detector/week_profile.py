"""What a detector expects of each hour, without the levels of the last days.

Belongs here: the expected values of a detector as hours of the meter's clock, which are compared
with the table `usage_hourly`. Not here: the expected value of a single reading, in which the
levels of the last weeks, days and hours are (`measure`).

Without levels, an excess that goes on for days stays visible: the levels would follow it.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from usage_platform.core.arrays import Floats
from usage_platform.core.detector.baseline.slot_forests import SlotForests
from usage_platform.core.detector.grid import Grid, to_grid
from usage_platform.core.detector.manifest import Detector
from usage_platform.core.detector.measure import expected_hours
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.clock_hours import clock_hours
from usage_platform.core.time.units import NS_A_MINUTE, NS_AN_HOUR

_DAYS_A_WEEK = 7


@dataclass(frozen=True, eq=False)
class WeekProfile:
    """The expected values of one meter by weekday and time of day.

    Attributes:
        meter: The meter.
        calendar: Its rest days, which count as Sundays.
        until_day: The first local day after the history, in days since 1970-01-01.
        expected: kW, as `core.detector.model.Baseline.expected`: each week has the values that were
            learned before it; shape (1, 7, steps) where all weeks have the same.
    """

    meter: Meter
    calendar: Calendar
    until_day: int
    expected: Floats

    def hours(self, start: int, count: int) -> Floats:
        """The mean expected power of the hours of the meter's clock.

        Args:
            start: ns since 1970 UTC, a whole UTC hour; the first hour is the one that begins in it.
            count: Number of hours.

        Returns:
            Shape (count,), kW; NaN where nothing is expected.
        """
        meter = self.meter
        clock = clock_hours(meter.timezone)
        of_grid = meter.timezone, meter.interval_minutes, self.calendar, start
        if clock.are_utc:
            return expected_hours(self.expected, self.until_day, _positions(*of_grid, count))
        slots = start + NS_AN_HOUR * np.arange(count, dtype=np.int64)
        skipped = (clock.begin_in(slots) - slots) // (meter.interval_minutes * NS_A_MINUTE)
        grid = _positions(*of_grid, count + 1)
        return expected_hours(self.expected, self.until_day, grid, skipped)


def week_profile(detector: Detector) -> WeekProfile | None:
    """The expected values of a detector; None while it has too little history for any."""
    if isinstance(detector, SlotForests):
        return slot_profile(detector.meter, detector.low, detector.high)
    baseline = detector.baseline
    if baseline is None:
        return None
    calendar = detector.options.calendar
    return WeekProfile(detector.meter, calendar, baseline.until_day, baseline.expected)


def slot_profile(meter: Meter, low: Floats, high: Floats) -> WeekProfile:
    """The middles of the ranges of slots, which are the same in all weeks and know no rest days.

    Args:
        meter: The meter.
        low: Lower end of the range of each slot of the week from Monday 00:00, kW.
        high: Upper end, kW.
    """
    middle = ((low + high) / 2).reshape(1, _DAYS_A_WEEK, -1)
    return WeekProfile(meter, Calendar(), 0, middle)


@lru_cache(maxsize=32)
def _positions(timezone: str, interval: int, calendar: Calendar, start: int, count: int) -> Grid:
    """The local day and step of all intervals of some hours; the same for all meters of a zone."""
    meter = Meter(timezone=timezone, interval_minutes=interval)
    end = start + count * NS_AN_HOUR
    return to_grid(np.array([start]), np.array([np.nan]), meter, calendar, end)
