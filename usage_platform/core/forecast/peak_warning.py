"""Whether a day begins with a warning of a new peak of the month.

Belongs here: the rule. Not here: the probability (`peak`), the messages
(`core.anomalies.peak_messages`), which meters are looked at (`services.peak_warnings`).

A month begins without a peak, so that each of its first working days is likely to bring a new one;
it would be so whatever people did. A demand charge asks for the month's highest power, which those
days hardly ever set. So warnings begin when `WORKING_DAYS_BEFORE` working days have shown a level,
and where a demand charge would not rise (a ratchet or a minimum is higher, or the hours are not
charged) there is none.
"""

from datetime import date

import numpy as np

from usage_platform.core.anomalies.peak_messages import PeakWarning
from usage_platform.core.forecast.forecast import Forecast, forecast
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.tariffs.peak_cost import cost_of_peak, has_demand_charge
from usage_platform.core.tariffs.tariff import Tariff
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.day_numbers import day_number, day_of
from usage_platform.core.time.local_time import local_day_bounds

WARNED_FROM = 0.15
"""The probability from which on there is a warning: it finds four of five new peaks
(docs/evaluation.md)."""

WORKING_DAYS_BEFORE = 2
"""So many working days of the month lie before the first day that can have a warning."""

_WORKING_WEEKDAYS = 5


def peak_warning(
    series: Series, meter: Meter, calendar: Calendar, day: date, tariff: Tariff | None
) -> PeakWarning | None:
    """The warning with which a local day begins.

    Args:
        series: The meter's readings, from `day_ahead.HISTORY_DAYS` before the day and from
            `bill.readings_from` its month on; those of the day and after it change nothing.
        meter: The meter.
        calendar: Its rest days.
        day: The local day.
        tariff: The meter's tariff in money; None without one.

    Returns:
        None where a new peak is not likely, costs nothing, or cannot be evaluated: early in the
        month, with too little history.
    """
    if working_days_before(day, calendar) < WORKING_DAYS_BEFORE:
        return None
    start, end = (at.value for at in local_day_bounds(day, meter.timezone))
    known = series.until(start)
    made = forecast(known, meter, calendar, start)
    if made is None or made.ahead is None or made.peak_kw is None:
        return None
    probability = made.ahead.probability_above(made.peak_kw)
    if probability < WARNED_FROM:
        return None
    low, high = made.ahead.range
    cost = None
    if tariff is not None and has_demand_charge(tariff):
        at_most, cost = (_cost(made, kw, known, tariff) for kw in (high, made.ahead.kw))
        if at_most is not None and at_most <= 0:
            return None
    return PeakWarning(
        start=start,
        end=end,
        peak_kw=made.peak_kw,
        probability=probability,
        expected_kw=made.ahead.kw,
        low_kw=low,
        high_kw=high,
        expected_at=made.highest_at,
        cost=cost,
        currency=tariff.unit if tariff is not None and cost is not None else None,
    )


def working_days_before(day: date, calendar: Calendar) -> int:
    """How many working days of its month lie before a day."""
    last = day_number(day) - 1
    first = last + 2 - day.day
    rest = set(calendar.rest_days(first, last).tolist()) if first <= last else set[int]()
    days = (number for number in range(first, last + 1) if number not in rest)
    return sum(day_of(one).weekday() < _WORKING_WEEKDAYS for one in days)


def _cost(made: Forecast, highest: float, known: Series, tariff: Tariff) -> float | None:
    """What the day costs in demand if its highest reading is so high; the rest moves with it."""
    there = np.isfinite(made.power)
    power = made.power[there]
    coming = Series(made.instants[there], power + (highest - power.max()))
    cost = cost_of_peak(tariff, made.meter, made.month, known, coming)
    return None if cost is None else float(cost)
