"""The price of each hour, and what the energy of each hour costs.

Belongs here: sums over the hours of the meter's own clock, before taxes. Not here: demand and other
lines (`bill`), where hours begin (`core.time.clock_hours`).

The hours are sums over the pieces from which the bill takes its energy, so that the energy lines of
a bill, before they are rounded, are exactly the sum of its hours. No hour lies in two months.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Ints
from usage_platform.core.load.month import Month
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.tariffs.money import (
    ENERGY_UNITS_A_KWH,
    PRICE_DECIMALS,
    kwh_of,
    rounded,
)
from usage_platform.core.tariffs.pieces import pieces_of
from usage_platform.core.tariffs.pricing import (
    PricedEnergy,
    held_periods,
    is_priced,
    priced_energy,
)
from usage_platform.core.tariffs.tariff import Tariff
from usage_platform.core.time.clock_hours import clock_hours
from usage_platform.core.time.units import NS_A_MINUTE

_PRICE_UNITS = 10**PRICE_DECIMALS


@dataclass(frozen=True)
class HourCost:
    """What a meter's energy of an hour costs, before taxes.

    Attributes:
        start: Start of the hour, UTC.
        end: Its end, UTC, exclusive.
        minutes: For how many of its minutes there are readings.
        imported_kwh: Energy taken.
        exported_kwh: Energy given.
        cost: Exact; less what is paid for export. None before the tariff's first day.
    """

    start: pd.Timestamp
    end: pd.Timestamp
    minutes: int
    imported_kwh: Fraction
    exported_kwh: Fraction
    cost: Fraction | None


@dataclass(frozen=True)
class HourPrice:
    """The price of imported energy in an hour.

    Attributes:
        start: Start of the hour, UTC.
        price: Price of a kWh, before taxes; the mean where the price changes within the hour, that
            of the first tier where there are tiers. None before the tariff's first day.
        periods: The names of the periods, in order of the file.
    """

    start: pd.Timestamp
    price: Decimal | None
    periods: tuple[str, ...]


def cost_of_hours(
    tariff: Tariff, meter: Meter, series: Series, start: pd.Timestamp, end: pd.Timestamp
) -> list[HourCost]:
    """The cost of the hours that have readings.

    Args:
        tariff: The meter's tariff.
        meter: The meter.
        series: Its readings, from the interval on that reaches into the month of `start`: tiers
            count from there.
        start: The first hour, UTC.
        end: The end of the last hour, UTC, exclusive.
    """
    pieces = pieces_of(series.until(end.value), meter, tariff)
    clock = clock_hours(meter.timezone)
    hours, position = np.unique(clock.starts(pieces.instants), return_inverse=True)
    ends = clock.ends(hours)
    cost = np.zeros(len(hours), dtype=object)
    for month in months_between(pieces.days):
        chosen = pieces.of_month(month)
        place = position[np.isin(pieces.instants, chosen.instants)]
        for one in priced_energy(tariff, chosen):
            cost += _by_hour(one.energy, place, len(hours)).astype(object) * _units(one)
    minutes = np.bincount(position, minlength=len(hours)) * pieces.minutes
    priced = np.bincount(position[is_priced(tariff, pieces)], minlength=len(hours)) > 0
    imported = _by_hour(pieces.imported, position, len(hours))
    exported = _by_hour(pieces.exported, position, len(hours))
    return [
        HourCost(
            pd.Timestamp(hour, tz="UTC"),
            pd.Timestamp(int(ends[at]), tz="UTC"),
            int(minutes[at]),
            kwh_of(int(imported[at])),
            kwh_of(int(exported[at])),
            Fraction(int(cost[at]), ENERGY_UNITS_A_KWH * _PRICE_UNITS) if priced[at] else None,
        )
        for at, hour in enumerate(hours.tolist())
        if start.value <= hour < end.value
    ]


def price_of_hours(
    tariff: Tariff, meter: Meter, start: pd.Timestamp, end: pd.Timestamp
) -> list[HourPrice]:
    """The price of each hour, whether there are readings or not.

    Args:
        tariff: The meter's tariff.
        meter: Gives the time zone.
        start: The first hour, UTC.
        end: The end of the last hour, UTC, exclusive.
    """
    interval = meter.interval_minutes * NS_A_MINUTE
    instants = np.arange(start.value, end.value, interval, dtype=np.int64)
    pieces = pieces_of(Series(instants, np.zeros(len(instants))), meter, tariff)
    starts = clock_hours(meter.timezone).starts(pieces.instants)
    hours, position = np.unique(starts, return_inverse=True)
    totals = [Fraction(0)] * len(hours)
    names: list[list[str]] = [[] for _ in hours]
    priced = np.zeros(len(hours), dtype=np.int64)
    for _, period, held in held_periods(tariff, pieces):
        minutes = _by_hour(np.where(held, pieces.minutes, 0), position, len(hours))
        priced += minutes
        for at in np.flatnonzero(minutes).tolist():
            totals[at] += Fraction(period.steps[0].price) * int(minutes[at])
            names[at] = [*names[at], *({period.name} - set(names[at]))]
    return [
        HourPrice(
            pd.Timestamp(hour, tz="UTC"),
            rounded(totals[at] / int(priced[at]), PRICE_DECIMALS) if priced[at] else None,
            tuple(names[at]),
        )
        for at, hour in enumerate(hours.tolist())
    ]


def months_between(days: Ints) -> Iterator[Month]:
    """The months in which some local days lie, in days since 1970-01-01."""
    for first in np.unique(days.astype("datetime64[D]").astype("datetime64[M]")):
        yield Month(first.astype("datetime64[D]").item())


def _units(one: PricedEnergy) -> int:
    """The price as a whole number of its smallest decimal; negative for export."""
    units = int(one.price * _PRICE_UNITS)
    return -units if one.is_export else units


def _by_hour(values: Ints, position: Ints, count: int) -> Ints:
    """Sums by hour; integers, because sums of floats would not be exact."""
    sums = np.zeros(count, dtype=np.int64)
    np.add.at(sums, position, values)
    return sums
