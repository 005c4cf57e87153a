"""The shape of a load: how low it goes, how high, how long it is how high, and when.

Belongs here: figures over a stretch of a series. Not here: one day beside another (`comparison`).

Source of base load and near peak: P. Price, "Methods for Analyzing Electric Load Shape and its
Variability", LBNL-3713E, 2010: the 2.5th and the 97.5th percentile of a day's readings; over a
stretch of days, their medians, so that a single fault moves neither. Every "base load" of the page
and of the report is `load_shape`'s.
"""

from dataclasses import dataclass

import numpy as np

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.load.series import PowerSeries

BASE_PERCENTILE, NEAR_PEAK_PERCENTILE = 2.5, 97.5
DURATION_POINTS = 201
_WEEK = 7
_MINUTES_A_DAY = 1440


@dataclass(frozen=True)
class LoadShape:
    """What a stretch of readings comes to; NaN and None where there is no reading.

    Attributes:
        base_kw: Median over the days of the day's 2.5th percentile.
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
    _, first = np.unique(series.local_day, return_index=True)
    days = np.split(series.values, first[1:])
    base, near = (
        float(np.median([np.percentile(day, percentile) for day in days]))
        for percentile in (BASE_PERCENTILE, NEAR_PEAK_PERCENTILE)
    )
    return LoadShape(
        base_kw=base,
        near_peak_kw=near,
        peak_kw=peak,
        peak_at=int(series.instants[at]),
        mean_kw=mean,
        load_factor=mean / peak if peak > 0 else float("nan"),
        energy_kwh=float(series.values.sum()) * series.hours,
    )


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
    weekday = (series.local_day + 3) % _WEEK  # day 0, 1970-01-01, was a Thursday
    slot = weekday * steps + series.local_minute // bucket_minutes
    counts = np.bincount(slot, minlength=_WEEK * steps)
    sums = np.bincount(slot, weights=series.values, minlength=_WEEK * steps)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return means.reshape(_WEEK, steps), counts.reshape(_WEEK, steps)
