"""Readings cut into pieces, none of which lies in two prices or two demand windows.

Belongs here: local times of readings, and cutting them. Not here: prices (`pricing`).

A meter of hourly readings in a zone that is half an hour off has readings over 06:00: their power
is taken to be the same over the whole interval, as a mean power says no more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import gcd

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Ints
from usage_platform.core.load.month import Month
from usage_platform.core.load.series import PowerSeries
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.tariffs.money import MILLIWATTS_A_KW
from usage_platform.core.tariffs.tariff import Tariff
from usage_platform.core.tariffs.times import HOLIDAY, Times
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.day_numbers import day_number, weekday_numbers
from usage_platform.core.time.units import NS_A_MINUTE


@dataclass(frozen=True, eq=False)
class Pieces:
    """Pieces of a meter's readings.

    Attributes:
        instants: Shape (n,): starts, ns since 1970 UTC, ascending.
        minutes: Length of each.
        milliwatts: Shape (n,): mean power, whole milliwatts; negative for export.
        days: Shape (n,): the local day, in days since 1970-01-01.
        clock: Shape (n,): minutes since the local midnight on the wall clock.
        calendar: The public holidays.
    """

    instants: Ints
    minutes: int
    milliwatts: Ints
    days: Ints
    clock: Ints
    calendar: Calendar

    @property
    def imported(self) -> Ints:
        """Shape (n,): energy taken, milliwatt-minutes."""
        return np.maximum(self.milliwatts, 0) * self.minutes

    @property
    def exported(self) -> Ints:
        """Shape (n,): energy given, milliwatt-minutes."""
        return np.maximum(-self.milliwatts, 0) * self.minutes

    @cached_property
    def month_days(self) -> Ints:
        """Shape (n,): the local dates as 100 * month + day."""
        return month_days_of(self.days)

    @cached_property
    def kinds(self) -> Ints:
        """Shape (n,): the kinds of the local days, as in `times`."""
        kinds = weekday_numbers(self.days)
        if len(kinds):
            rest = self.calendar.rest_days(int(self.days.min()), int(self.days.max()))
            kinds[np.isin(self.days, rest)] = HOLIDAY
        return kinds

    def held_by(self, times: Times) -> npt.NDArray[np.bool_]:
        """Shape (n,): which pieces lie in some local times."""
        return times.holds(self.month_days, self.kinds, self.clock)

    def of_days(self, first: int, last: int) -> "Pieces":
        """The pieces of local days, `last` inclusive, in days since 1970-01-01."""
        chosen = (self.days >= first) & (self.days <= last)
        return Pieces(
            self.instants[chosen],
            self.minutes,
            self.milliwatts[chosen],
            self.days[chosen],
            self.clock[chosen],
            self.calendar,
        )

    def of_month(self, month: Month) -> "Pieces":
        """The pieces of a local month."""
        return self.of_days(day_number(month.first), day_number(month.last))


def pieces_of(series: Series, meter: Meter, tariff: Tariff) -> Pieces:
    """A meter's readings, cut wherever a price or a demand window of a tariff may change.

    Args:
        series: The readings; negative powers are export.
        meter: Gives the time zone and the interval.
        tariff: Gives the edges.
    """
    interval = meter.interval_minutes
    whole = PowerSeries.unscored(meter, series.instants, series.values)
    starts = np.unique(whole.local_minute % interval).tolist()
    minutes = gcd(interval, *starts, *_edges_of(tariff))
    count = interval // minutes
    offsets = np.tile(np.arange(count) * minutes * NS_A_MINUTE, len(series.instants))
    instants = np.repeat(series.instants, count) + offsets
    powers = np.repeat(series.values, count)
    cut = PowerSeries.unscored(meter, instants, powers)
    return Pieces(
        instants,
        minutes,
        np.rint(powers * MILLIWATTS_A_KW).astype(np.int64),
        cut.local_day,
        cut.local_minute,
        tariff.calendar,
    )


def _edges_of(tariff: Tariff) -> Iterable[int]:
    """The minutes at which a price or a demand window may change."""
    for version in tariff.versions:
        for times in version.periods:
            yield from times.edges
        for charge in version.demand:
            yield charge.window_minutes


def month_days_of(days: Ints) -> Ints:
    """Dates as 100 * month + day, of days since 1970-01-01."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    day = (dates - months).astype(np.int64) + 1
    return (months.astype(np.int64) % 12 + 1) * 100 + day
