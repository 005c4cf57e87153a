"""A series by local day: energy, cost, and how many readings there are.

Belongs here: sums over whole local days of 23, 24 or 25 hours. Not here: comparing days
(`comparison`), gaps (`core.readings.gaps`).
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from usage_platform.core.load.series import PowerSeries
from usage_platform.core.time.day_numbers import day_of
from usage_platform.core.time.local_time import expected_readings


@dataclass(frozen=True)
class DayTotal:
    """One local day.

    Attributes:
        day: The local date.
        energy_kwh: Energy of the readings that are there.
        cost: The same at the tariff; None without one.
        peak_kw: The largest reading; None without a reading.
        readings: How many there are.
        expected_readings: How many a complete day holds.
    """

    day: date
    energy_kwh: float
    cost: float | None
    peak_kw: float | None
    readings: int
    expected_readings: int


def day_totals(series: PowerSeries, tariff: float | None) -> list[DayTotal]:
    """Every local day from the first reading's to the last one's; those without readings too.

    Args:
        series: The readings.
        tariff: Price of a kWh.
    """
    if not len(series):
        return []
    day = series.local_day
    rows = day - day[0]
    counts = np.bincount(rows)
    energy = np.bincount(rows, weights=series.values) * series.hours
    peaks = np.full(len(counts), -np.inf)
    np.maximum.at(peaks, rows, series.values)
    meter = series.meter
    return [
        DayTotal(
            day=(local := day_of(int(day[0]) + number)),
            energy_kwh=float(energy[number]),
            cost=cost_of(float(energy[number]), tariff),
            peak_kw=float(peaks[number]) if counts[number] else None,
            readings=int(counts[number]),
            expected_readings=expected_readings(local, meter.timezone, meter.interval_minutes),
        )
        for number in range(len(counts))
    ]


def cost_of(energy_kwh: float, tariff: float | None) -> float | None:
    """What energy costs at a flat price a kWh; None without a price."""
    return None if tariff is None else energy_kwh * tariff
