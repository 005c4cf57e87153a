"""A year over the year before, by days of the same weekday."""

import math
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.load.years import HourlyEnergy, compare_years, first_needed
from usage_platform.core.meters import Meter
from usage_platform.core.time.day_numbers import day_of

ZONES = ("America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns")


def hours(first: date, last: date, power, zone: str = ZONES[0]) -> HourlyEnergy:
    """UTC hours; `power(local)` gives the energy of each, NaN for one that is not there."""
    meter = Meter("m", zone, 60)
    ends = (pd.Timestamp(first), pd.Timestamp(last + timedelta(days=2)))
    starts = pd.date_range(*ends, freq="h", tz="UTC", inclusive="left", unit="ns")
    kwh = np.array([float(power(at)) for at in starts.tz_convert(meter.zone)])
    there = np.isfinite(kwh)
    count = np.ones(there.sum(), dtype=np.int64)
    return HourlyEnergy(meter, starts.asi8[there], kwh[there], count)


def test_a_day_is_beside_the_same_weekday_52_weeks_before():
    # Monday to Sunday use 1 to 7 kWh an hour; this year twice as much.
    def power(at: pd.Timestamp) -> float:
        return (at.weekday() + 1) * (2 if at.year == 2024 else 1)

    found = compare_years(hours(first_needed(2024), date(2024, 2, 29), power), 2024)
    assert day_of(found.first_day) == date(2024, 1, 1)
    weekdays = np.arange(len(found.energy_kwh)) % 7  # 2024-01-01 is a Monday.
    np.testing.assert_allclose(found.energy_kwh[:50], (48.0 * (weekdays + 1))[:50])
    # On the first day of this year the day before is of last year, 2023-01-02.
    np.testing.assert_allclose(found.before_kwh[:50], (24.0 * (weekdays + 1))[:50])
    whole = found.is_compared
    assert found.difference_kwh == pytest.approx((24.0 * (weekdays + 1))[whole].sum())


@pytest.mark.parametrize(
    ("zone", "day", "lengths"),
    [
        ("America/New_York", date(2024, 3, 10), (23, 23)),
        ("America/New_York", date(2024, 11, 3), (25, 25)),
        ("Europe/Rome", date(2024, 3, 31), (23, 24)),
        ("Europe/Rome", date(2024, 3, 24), (24, 23)),
        ("Europe/Rome", date(2024, 10, 27), (25, 25)),
    ],
)
def test_the_days_of_the_clock_changes_have_their_hours_and_are_compared(zone, day, lengths):
    made = hours(date(2022, 12, 30), date(2024, 12, 31), lambda at: 1.0, zone)
    found = compare_years(made, 2024)
    at = (day - date(2024, 1, 1)).days
    assert (found.energy_kwh[at], found.before_kwh[at]) == lengths
    assert found.is_compared[at]


def test_a_day_that_lacks_readings_on_either_side_is_not_compared():
    gaps = {date(2024, 1, 10), date(2023, 1, 18)}

    def power(at: pd.Timestamp) -> float:
        return math.nan if at.date() in gaps and at.hour < 12 else 1.0

    found = compare_years(hours(first_needed(2024), date(2024, 1, 31), power), 2024)
    left_out = [day_of(found.first_day + n) for n in np.flatnonzero(~found.is_compared[:31])]
    assert left_out == [date(2024, 1, 10), date(2023, 1, 18) + timedelta(days=364)]
    assert found.difference_kwh == 0.0
    _, this, before = found.by_week()
    assert (this[1], before[1]) == (6 * 24, 6 * 24)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.integers(2023, 2026),
    st.integers(1, 365),
    st.lists(st.integers(0, 700), max_size=5),
)
def test_days_weeks_and_the_difference_hold_the_same_energy(zone, year, length, gaps):
    first = first_needed(year)
    missing = {first + timedelta(days=gap) for gap in gaps}
    random = np.random.default_rng(length)

    def power(at: pd.Timestamp) -> float:
        return math.nan if at.date() in missing else random.uniform(0, 9)

    given_hours = hours(first, date(year, 1, 1) + timedelta(days=length - 1), power, zone)
    found = compare_years(given_hours, year)
    if found is None:
        return
    mondays, this, before = found.by_week()
    assert {day_of(int(day)).weekday() for day in mondays} == {0}
    assert np.nansum(this) == pytest.approx(found.compared_kwh)
    assert np.nansum(this) - np.nansum(before) == pytest.approx(found.difference_kwh, abs=1e-6)
    assert len(mondays) <= 54
    for day in missing:
        at = (day - date(year, 1, 1)).days
        for place in (at, at + 364):
            assert not (0 <= place < len(found.is_compared)) or not found.is_compared[place]


def test_a_year_without_an_hour_is_not_compared():
    assert compare_years(hours(date(2024, 1, 1), date(2024, 1, 3), lambda at: 1.0), 2022) is None
    alone = compare_years(hours(date(2024, 1, 1), date(2024, 1, 3), lambda at: 1.0), 2024)
    assert not alone.is_compared.any()
    assert np.isnan(alone.by_week()[1]).all()
