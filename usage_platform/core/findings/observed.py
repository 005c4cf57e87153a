"""A meter's days as findings see them: the quarter, the days it is compared with, and their shape.

Belongs here: which days are compared, their base load, and when they run. Not here: what is found.

A quarter is compared with the same weeks a year before, so that a season is no finding. Without
them it is compared with the thirteen weeks before it, and the change has to be twice as large.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.expected import day_type, days_by_step
from usage_platform.core.detector.grid import Grid, to_grid
from usage_platform.core.findings.finding import HOURS, Excess, Finding, FindingKind, finding_id
from usage_platform.core.load.load_shape import (
    BASE_PERCENTILE,
    DARK_UNTIL_MINUTE,
    NEAR_PEAK_PERCENTILE,
)
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.clock_hours import clock_hours
from usage_platform.core.time.day_numbers import day_number, day_of
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.core.time.quarters import first_of_quarter, quarter_label

RECENT_DAYS = 28
"""The last days of the quarter, which say how it is now."""

LEAST_DAYS = 14
"""Days of the quarter before anything in it is compared."""

YEAR_DAYS = 364
"""A year in whole weeks: the same weekday."""

_QUARTER_DAYS = 91
_WHOLE_SHARE = 0.75
_RUNNING = 0.2  # share of a day's rise from which on the building runs
_LEAST_RISE = 0.15
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Observed:
    """The days of a meter until a moment; n local days, with `steps` intervals each.

    Attributes:
        meter: The meter.
        calendar: Its rest days.
        prices: Shape (24,): price of a kWh by local hour; None for no price.
        grid: The readings.
        first_day: The first local day, in days since 1970-01-01.
        values: Shape (n, steps): kW; NaN where there is no reading.
        weekday: Shape (n,): 0 is Monday; a rest day counts as Sunday.
        base: Shape (n,): the day's base load, kW; NaN on a day that lacks more than
            a quarter of its readings.
        high: Shape (n,): the day's near peak, kW; NaN likewise.
        quarter: The row of the quarter's first day; at least 0.
        label: The quarter, such as 2024-Q2.
    """

    meter: Meter
    calendar: Calendar
    prices: Floats | None
    grid: Grid
    first_day: int
    values: Floats
    weekday: Ints
    base: Floats
    high: Floats
    quarter: int
    label: str

    @property
    def days(self) -> int:
        """How many days there are."""
        return len(self.values)

    @property
    def recent(self) -> Ints:
        """The rows of the quarter's last four weeks; none before it has two weeks."""
        if self.days - self.quarter < LEAST_DAYS:
            return np.empty(0, dtype=np.int64)
        return np.arange(max(self.quarter, self.days - RECENT_DAYS), self.days)

    @property
    def has_last_year(self) -> bool:
        """Whether the same weeks of a year before are known."""
        before = self.recent - YEAR_DAYS
        known = np.isfinite(self.base[before[before >= 0]])
        return bool(len(before) and np.count_nonzero(known) >= LEAST_DAYS)

    @property
    def reference(self) -> Ints:
        """The rows that the recent ones are compared with; none without two weeks of them."""
        if self.has_last_year:
            rows = self.recent - YEAR_DAYS
            return rows[rows >= 0]
        rows = np.arange(max(0, self.quarter - _QUARTER_DAYS), self.quarter)
        return rows if np.isfinite(self.base[rows]).sum() >= LEAST_DAYS else rows[:0]

    @property
    def caution(self) -> float:
        """By how much more a change has to be, without the same weeks of a year before."""
        return 1.0 if self.has_last_year else 2.0

    def works(self, rows: Ints) -> Ints:
        """Those of the rows that are Mondays to Fridays and no rest days."""
        return rows[day_type(self.weekday[rows]) == 0]

    def date(self, row: int) -> date:
        """The date of a row."""
        return day_of(self.first_day + int(row))

    def by_hour(self, by_step: Floats) -> Floats:
        """Energy by local hour, kWh, shape (24,), of power by step, kW, shape (steps,)."""
        per_hour = self.meter.readings_per_hour
        return by_step.reshape(HOURS, per_hour).sum(axis=1) / per_hour

    def finding(
        self, kind: FindingKind, subject: str, rows: Ints, sentence: str, excess: Excess
    ) -> Finding:
        """A finding about some days, from the first to the last of them."""
        zone = self.meter.timezone
        return Finding(
            id=finding_id(self.meter.name, kind, subject),
            meter=self.meter.name,
            kind=kind,
            start=local_day_bounds(self.date(rows[0]), zone)[0],
            end=local_day_bounds(self.date(rows[-1]), zone)[1],
            sentence=sentence,
            kwh=excess.kwh,
            kwh_per_year=excess.kwh_per_year,
            cost_per_year=excess.cost_per_year(self.prices),
        )


def observe(
    series: Series, meter: Meter, calendar: Calendar, prices: Floats | None, as_of: int
) -> Observed | None:
    """The whole local days before a moment; None without a reading in them.

    Args:
        series: The meter's readings; those of the day of `as_of` and later ones are not used.
        meter: The meter.
        calendar: Its rest days.
        prices: Shape (24,): price of a kWh by local hour; None for no price.
        as_of: The moment, ns since 1970 UTC.

    Raises:
        ValueError: If there are not 24 prices.
    """
    if prices is not None and prices.shape != (HOURS,):
        raise ValueError(
            f"prices: got {prices.size}; expected {HOURS}, one for each hour of the local day"
        )
    today = pd.Timestamp(as_of, tz="UTC").tz_convert(meter.zone).date()
    end = local_day_bounds(today, meter.timezone)[0].value
    known = series.until(end)
    if not np.isfinite(known.values).any():
        return None
    # By the meter's clock, so that times of runs are those of its intervals.
    first_hour = int(clock_hours(meter.timezone).starts(known.instants[:1])[0])
    grid = to_grid(known.instants, known.values, meter, calendar, end, first_hour)
    values, weekday = days_by_step(grid)
    base, high = _percentiles(values)
    if meter.is_net:
        base, _ = _percentiles(values[:, : DARK_UNTIL_MINUTE // meter.interval_minutes])
    last = today - timedelta(days=1)
    first = int(grid.day[0])
    return Observed(
        meter=meter,
        calendar=calendar,
        prices=prices,
        grid=grid,
        first_day=first,
        values=values,
        weekday=weekday,
        base=base,
        high=high,
        quarter=max(0, day_number(first_of_quarter(last)) - first),
        label=quarter_label(last),
    )


def running_steps(values: Floats, base: Floats, high: Floats) -> tuple[Floats, Floats]:
    """When days start and stop running: two readings in a row above a fifth of the day's rise.

    Args:
        values: Shape (days, steps), kW; NaN where there is no reading.
        base: Shape (days,): base load, kW.
        high: Shape (days,): near peak, kW.

    Returns:
        Two of shape (days,): the first step that runs, and the first one after the last that does;
        NaN for a day that hardly rises.
    """
    above = values > (base + _RUNNING * (high - base))[:, None]
    steady = above[:, :-1] & above[:, 1:]
    start = steady.argmax(axis=1).astype(np.float64)
    stop = steady.shape[1] - steady[:, ::-1].argmax(axis=1) + 1.0
    rests = ~steady.any(axis=1) | ~(high > (1 + _LEAST_RISE) * base)
    return np.where(rests, np.nan, start), np.where(rests, np.nan, stop)


def _percentiles(values: Floats) -> tuple[Floats, Floats]:
    """Base load and near peak of each day; of a day's known readings, in one sort."""
    ordered = np.sort(values, axis=1)  # NaN last
    known = np.count_nonzero(~np.isnan(values), axis=1)
    whole = known >= _WHOLE_SHARE * values.shape[1]
    rows = np.arange(len(values))
    found: list[Floats] = []
    for percentile in (BASE_PERCENTILE, NEAR_PEAK_PERCENTILE):
        at = np.maximum(known - 1, 0) * percentile / 100
        low = at.astype(np.int64)
        high = np.minimum(low + 1, values.shape[1] - 1)
        share = at - low
        below, above = ordered[rows, low], np.nan_to_num(ordered[rows, high])
        found.append(np.where(whole, below * (1 - share) + above * share, np.nan))
    return found[0], found[1]
