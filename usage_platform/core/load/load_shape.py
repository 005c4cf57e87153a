"""The shape of a load: how low it goes, how high, how long it is how high, and when.

Belongs here: figures over a stretch of a series. Not here: one day beside another (`comparison`).

Source of base load and near peak: P. Price, "Methods for Analyzing Electric Load Shape and its
Variability", LBNL-3713E, 2010: the 2.5th and the 97.5th percentile of a day's readings; over a
stretch of days, their medians, so that a single fault moves neither. Every "base load" of the page
and of the report is `load_shape`'s. The lowest power of a net meter is its export; its base load is
that of the local hours from 0 to 4, when the sun does not shine.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.load.series import PowerSeries
from usage_platform.core.time.day_numbers import weekday_numbers

BASE_PERCENTILE, NEAR_PEAK_PERCENTILE = 2.5, 97.5
DARK_UNTIL_MINUTE = 4 * 60
"""Up to this minute of the local day the base load of a net meter is measured."""

DURATION_POINTS = 201
_WEEK = 7
_MINUTES_A_DAY = 1440


@dataclass(frozen=True)
class LoadShape:
    """What a stretch of readings comes to; NaN and None where there is no reading.

    Attributes:
        base_kw: Median over the days of the day's 2.5th percentile; of a net meter, of the readings
            before 4:00 local time. NaN without such readings.
        near_peak_kw: Median over the days of its 97.5th.
        peak_kw: The largest reading.
        peak_at: Its interval's start, ns since 1970 UTC.
        mean_kw: Mean of the readings.
        load_factor: Mean over peak, 0 to 1.
        energy_kwh: Energy of the readings that are there.
    """

    base_kw: float
    near_peak_kw: float
    peak_kw: float
    peak_at: int | None
    mean_kw: float
    load_factor: float
    energy_kwh: float


def load_shape(series: PowerSeries) -> LoadShape:
    """The figures of a stretch of readings."""
    if not len(series):
        nan = float("nan")
        return LoadShape(nan, nan, nan, None, nan, nan, 0.0)
    at = int(series.values.argmax())
    peak, mean = float(series.values[at]), float(series.values.mean())
    dark = series.local_minute < DARK_UNTIL_MINUTE
    has_base = dark if series.meter.is_net else np.full(len(series), True)
    return LoadShape(
        base_kw=_median_by_day(series, has_base, BASE_PERCENTILE),
        near_peak_kw=_median_by_day(series, np.full(len(series), True), NEAR_PEAK_PERCENTILE),
        peak_kw=peak,
        peak_at=int(series.instants[at]),
        mean_kw=mean,
        load_factor=mean / peak if peak > 0 else float("nan"),
        energy_kwh=float(series.values.sum()) * series.hours,
    )


def _median_by_day(series: PowerSeries, taken: npt.NDArray[np.bool_], percentile: float) -> float:
    """The median over the days of a percentile of the readings that are taken."""
    days, values = series.local_day[taken], series.values[taken]
    if not len(values):
        return float("nan")
    _, first = np.unique(days, return_index=True)
    parts = np.split(values, first[1:])
    return float(np.median([np.percentile(part, percentile) for part in parts]))


def load_duration(series: PowerSeries) -> tuple[Floats, Floats]:
    """How long the load was at least how high.

    Returns:
        Two of shape (`DURATION_POINTS`,), or of (0,) without a reading: hours, from 0 to all hours
        that have readings, and the power (kW) that was reached or exceeded for so long.
    """
    if not len(series):
        return np.empty(0), np.empty(0)
    share = np.linspace(0, 1, DURATION_POINTS)
    return share * len(series) * series.hours, np.quantile(series.values, 1 - share)


def week_profile(series: PowerSeries, bucket_minutes: int) -> tuple[Floats, Ints]:
    """The mean power by weekday and time of day, on the wall clock.

    Args:
        series: The readings.
        bucket_minutes: Length of a step of the day; divides 1440.

    Returns:
        float64 and int64, shape (7, 1440 / bucket_minutes): mean power from Monday on, kW, NaN
        where there is no reading, and how many readings it is the mean of.
    """
    steps = _MINUTES_A_DAY // bucket_minutes
    weekday = weekday_numbers(series.local_day)
    slot = weekday * steps + series.local_minute // bucket_minutes
    counts = np.bincount(slot, minlength=_WEEK * steps)
    sums = np.bincount(slot, weights=series.values, minlength=_WEEK * steps)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return means.reshape(_WEEK, steps), counts.reshape(_WEEK, steps)
