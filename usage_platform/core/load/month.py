"""What a month of a meter was like: figures, gaps, and its most unusual days.

Belongs here: the calculations of the profile report. Not here: drawing
(`adapters.drawing.month_plots`), the page (`services.month_report`), and single anomalous readings
(`detector`).

Days are local ones. A day is unusual if its readings are far from the medians of its weekday and
time of day, raised or lowered with the level of the days around it, and counted in the spreads that
are usual there. All of it is taken from the month and the eight weeks before it, by medians, so
that the day itself and other anomalous ones hardly move it.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Floats
from usage_platform.core.detector.expected import day_type, days_by_step, slot_medians, spreads
from usage_platform.core.detector.grid import to_grid
from usage_platform.core.load.load_shape import load_shape
from usage_platform.core.load.series import PowerSeries
from usage_platform.core.meters import Meter
from usage_platform.core.readings.gaps import Gap, find_gaps
from usage_platform.core.readings.series import Series
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.day_numbers import day_number, day_of
from usage_platform.core.time.local_time import expected_readings, local_day_bounds

CONTEXT_DAYS = 56
"""Days before the month that say what is usual."""

MOST_UNUSUAL = 5
_WHOLE_SHARE = 0.5
_LEVEL_DAYS = 15


@dataclass(frozen=True)
class Month:
    """A calendar month.

    Attributes:
        first: Its first day.
    """

    first: date

    @property
    def last(self) -> date:
        """Its last day."""
        return (self.first + timedelta(days=31)).replace(day=1) - timedelta(days=1)

    @property
    def label(self) -> str:
        """Such as 2024-03."""
        return f"{self.first:%Y-%m}"

    def bounds(self, meter: Meter) -> tuple[pd.Timestamp, pd.Timestamp]:
        """Its first instant at a meter and the first one after it, UTC."""
        start = local_day_bounds(self.first, meter.timezone)[0]
        return start, local_day_bounds(self.last, meter.timezone)[1]

    def context(self, meter: Meter) -> tuple[pd.Timestamp, pd.Timestamp]:
        """From when to when readings are asked for to tell what is unusual, UTC."""
        before = self.first - timedelta(days=CONTEXT_DAYS)
        return local_day_bounds(before, meter.timezone)[0], self.bounds(meter)[1]


@dataclass(frozen=True)
class Figures:
    """A month in figures.

    Attributes:
        readings: Readings that came.
        expected_readings: Readings that a whole month holds, over the days until the last reading.
        mean_kw: Mean power.
        base_kw: Base load (`core.load.load_shape`).
        peak_kw: The highest reading.
        peak_at: Its interval's start, UTC.
        energy_kwh: Energy of the readings that came.
        load_factor: Mean over peak; NaN where nothing was used.
    """

    readings: int
    expected_readings: int
    mean_kw: float
    base_kw: float
    peak_kw: float
    peak_at: pd.Timestamp
    energy_kwh: float
    load_factor: float

    @property
    def completeness(self) -> float:
        """Share of the expected readings that came."""
        return self.readings / self.expected_readings


@dataclass(frozen=True, eq=False)
class UnusualDay:
    """A day and what was usual for it; the arrays have a place an interval of a day.

    Attributes:
        day: The local day.
        unusualness: Mean distance of its readings from usual, in usual deviations; 0.7 is an
            ordinary day.
        energy_kwh: Its energy above what is usual, below it negative.
        values: kW, NaN where there is no reading.
        usual: kW.
        spread: A usual deviation from it, kW.
    """

    day: date
    unusualness: float
    energy_kwh: float
    values: Floats
    usual: Floats
    spread: Floats


@dataclass(frozen=True, eq=False)
class Profile:
    """A month of a meter.

    Attributes:
        meter: The meter.
        month: The month.
        series: The month's readings.
        figures: The month in figures.
        gaps: The gaps from the month's start to its last reading, by time.
        unusual: The most unusual days, the most unusual first.
    """

    meter: Meter
    month: Month
    series: Series
    figures: Figures
    gaps: list[Gap]
    unusual: list[UnusualDay]


def profile(series: Series, month: Month, meter: Meter, calendar: Calendar) -> Profile | None:
    """Evaluate a month of a meter.

    Args:
        series: Its readings within `month.context`.
        month: The month.
        meter: The meter.
        calendar: Its rest days, which count as Sundays.

    Returns:
        None where the month has no reading.
    """
    start, end = (int(one.value) for one in month.bounds(meter))
    series = series.until(end)
    own = series.since(start)
    if not len(own.instants):
        return None
    figures = _figures(own, month, meter)
    gaps = find_gaps(own.instants, meter.interval_minutes, start)
    return Profile(meter, month, own, figures, gaps, _unusual(series, month, meter, calendar))


def _figures(own: Series, month: Month, meter: Meter) -> Figures:
    shape = load_shape(PowerSeries.unscored(meter, own.instants, own.values))
    last = _instant(own.instants[-1]).tz_convert(meter.zone).date()
    days = pd.date_range(month.first, last).date
    expected = sum(expected_readings(d, meter.timezone, meter.interval_minutes) for d in days)
    return Figures(
        readings=len(own.instants),
        expected_readings=expected,
        mean_kw=shape.mean_kw,
        base_kw=shape.base_kw,
        peak_kw=shape.peak_kw,
        peak_at=_instant(own.instants[own.values.argmax()]),
        energy_kwh=shape.energy_kwh,
        load_factor=shape.load_factor,
    )


def _unusual(series: Series, month: Month, meter: Meter, calendar: Calendar) -> list[UnusualDay]:
    grid = to_grid(series.instants, series.values, meter, calendar, int(series.instants[-1]) + 1)
    table, weekday = days_by_step(grid)
    slots = slot_medians(table, weekday)[0]
    if not np.isfinite(slots).any():
        return []
    usual = slots[weekday]
    # A share of what crosses zero is no level.
    if not meter.is_net:
        usual = usual * _levels(table, usual)[:, None]
    away = table - usual
    size = spreads(away, weekday, _by_step(slots))[day_type(weekday)]
    known = np.count_nonzero(~np.isnan(away), axis=1)
    unusualness = np.nansum(np.abs(away) / size, axis=1) / np.maximum(known, 1)
    first = int(grid.day[0])
    whole = known >= _WHOLE_SHARE * table.shape[1]
    within = np.arange(len(table)) + first >= day_number(month.first)
    order = [row for row in np.argsort(-unusualness, kind="stable") if whole[row] and within[row]]
    hours = meter.interval_minutes / 60
    return [
        UnusualDay(
            day_of(first + int(row)),
            float(unusualness[row]),
            float(np.nansum(away[row])) * hours,
            table[row],
            usual[row],
            size[row],
        )
        for row in order[:MOST_UNUSUAL]
    ]


def _by_step(slots: Floats) -> Floats:
    """What is usual at each step on any day; of a step that is not known, the median of all."""
    known = pd.DataFrame(slots).median()
    return known.fillna(known.median()).to_numpy(np.float64)


def _levels(table: Floats, usual: Floats) -> Floats:
    """How high the load is around each day, as a share of what its slots usually have.

    The median over a week before and after: a season moves it, a single day does not.
    """
    shares = np.full(table.shape, np.nan)
    np.divide(table, usual, out=shares, where=usual > 0)
    by_day = pd.DataFrame(shares).median(axis=1)
    around = by_day.rolling(_LEVEL_DAYS, center=True, min_periods=1).median()
    return around.fillna(1.0).to_numpy(np.float64)


def _instant(at: int | np.int64) -> pd.Timestamp:
    return pd.Timestamp(int(at), tz="UTC")
