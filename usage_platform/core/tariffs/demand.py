"""Demand: the highest mean power of a month, and what of it is billed.

Belongs here: demand windows, ratchets and minima. Not here: amounts (`bill`).

A window counts when there are readings in all of it and all of it lies in the charge's local times:
the mean of a part could be higher or lower than that of the whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction

import numpy as np
import pandas as pd

from usage_platform.core.load.month import Month
from usage_platform.core.meters import Meter
from usage_platform.core.tariffs.charges import DemandCharge
from usage_platform.core.tariffs.money import MILLIWATTS_A_KW
from usage_platform.core.tariffs.pieces import Pieces, month_days_of
from usage_platform.core.tariffs.tariff import Tariff
from usage_platform.core.time.day_numbers import day_number
from usage_platform.core.time.units import NS_A_MINUTE


class SetBy(StrEnum):
    """What has set the billed demand."""

    PEAK = "peak"
    RATCHET = "ratchet"
    MINIMUM = "minimum"


@dataclass(frozen=True)
class Peak:
    """The highest window of a month.

    Attributes:
        kw: Its mean power of imported energy.
        at: Its start, UTC; the first one of several.
    """

    kw: Fraction
    at: pd.Timestamp


@dataclass(frozen=True)
class Windows:
    """The windows of a demand charge in a month.

    Attributes:
        peak: The highest complete one; None without one.
        incomplete: How many have readings in a part only, and do not count.
    """

    peak: Peak | None
    incomplete: int


@dataclass(frozen=True)
class BilledDemand:
    """The demand that is billed for a month.

    Attributes:
        kw: The demand.
        set_by: What has set it.
        at: The start of the window that has set it, UTC; None for a minimum.
        incomplete: As in `Windows`.
        missing: Months of the ratchet that lack readings.
    """

    kw: Fraction
    set_by: SetBy
    at: pd.Timestamp | None
    incomplete: int
    missing: tuple[str, ...]


@dataclass(frozen=True)
class EarlierMonth:
    """A month of a ratchet.

    Attributes:
        month: Such as 2024-03.
        peak: Its highest complete window; None without one.
        is_whole: Whether all of its readings are there.
    """

    month: str
    peak: Peak | None
    is_whole: bool


class WindowTooShortError(ValueError):
    """A demand window that the meter's readings cannot show; one line."""


def check_windows(tariff: Tariff, meter: Meter) -> None:
    """Refuse windows that do not consist of whole readings.

    Raises:
        WindowTooShortError: In one line.
    """
    for version in tariff.versions:
        for charge in version.demand:
            if charge.window_minutes % meter.interval_minutes:
                raise WindowTooShortError(
                    f"tariff {tariff.name}: version {version.valid_from}: demand {charge.name}: "
                    f"expected window_minutes to be a multiple of the {meter.interval_minutes} "
                    f"minutes of the readings of {meter.name}, got {charge.window_minutes}"
                )


def windows_of(charge: DemandCharge, pieces: Pieces) -> Windows:
    """The windows of a charge.

    Args:
        charge: The charge.
        pieces: Those of one local month.
    """
    # By the wall clock, so that windows begin at the full local hour in zones half an hour off.
    starts = pieces.instants - pieces.clock % charge.window_minutes * NS_A_MINUTE
    inside = pieces.held_by(charge)
    windows, position = np.unique(starts, return_inverse=True)
    energy = np.zeros(len(windows), dtype=np.int64)
    np.add.at(energy, position, pieces.imported)
    present = np.bincount(position, minlength=len(windows)) * pieces.minutes
    counted = np.bincount(position[inside], minlength=len(windows)) * pieces.minutes
    complete = counted == charge.window_minutes
    incomplete = int(((present < charge.window_minutes) & (counted == present)).sum())
    if not complete.any():
        return Windows(None, incomplete)
    at = int(np.argmax(np.where(complete, energy, -1)))
    kw = Fraction(int(energy[at]), charge.window_minutes * MILLIWATTS_A_KW)
    return Windows(Peak(kw, pd.Timestamp(int(windows[at]), tz="UTC")), incomplete)


def billed_demand(
    charge: DemandCharge, windows: Windows, earlier: Sequence[EarlierMonth]
) -> BilledDemand:
    """What of a month's demand is billed.

    Args:
        charge: The charge.
        windows: Those of the month.
        earlier: The months of its ratchet; empty without one.
    """
    peak = windows.peak
    kw, set_by, at = Fraction(0), SetBy.PEAK, None
    if peak is not None:
        kw, at = peak.kw, peak.at
    peaks = [one.peak for one in earlier if one.peak is not None]
    highest = max(peaks, key=lambda one: one.kw, default=None)
    if charge.ratchet is not None and highest is not None:
        kept = highest.kw * Fraction(charge.ratchet.percent) / 100
        if kept > kw:
            kw, set_by, at = kept, SetBy.RATCHET, highest.at
    if charge.minimum_kw > kw:
        kw, set_by, at = Fraction(charge.minimum_kw), SetBy.MINIMUM, None
    missing = tuple(one.month for one in earlier if not one.is_whole)
    return BilledDemand(kw, set_by, at, windows.incomplete, missing)


def earlier_months(
    charge: DemandCharge, pieces: Pieces, meter: Meter, month: Month
) -> list[EarlierMonth]:
    """The months of a charge's ratchet, the latest first; none without one.

    Args:
        charge: The charge.
        pieces: All pieces from the first of these months on.
        meter: The meter.
        month: The billed month.
    """
    count = 0 if charge.ratchet is None else charge.ratchet.months
    months = [months_before(month, number) for number in range(1, count + 1)]
    return [_earlier_month(charge, pieces.of_month(one), meter, one) for one in months]


def _earlier_month(
    charge: DemandCharge, pieces: Pieces, meter: Meter, month: Month
) -> EarlierMonth:
    start, end = month.bounds(meter)
    minutes = (end - start) // pd.Timedelta(minutes=1)
    is_whole = len(pieces.instants) * pieces.minutes == minutes
    return EarlierMonth(month.label, windows_of(charge, pieces).peak, is_whole)


def months_before(month: Month, count: int) -> Month:
    """The month that is so many months before another one."""
    number = 12 * month.first.year + month.first.month - 1 - count
    return Month(date(number // 12, number % 12 + 1, 1))


def days_charged(charge: DemandCharge, first: date, last: date) -> int:
    """On how many days of a span, `last` inclusive, a charge has a season."""
    days = np.arange(day_number(first), day_number(last + timedelta(days=1)))
    return int(charge.holds_days(month_days_of(days)).sum())
