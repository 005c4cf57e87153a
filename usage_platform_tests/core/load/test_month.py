"""A month in figures: gaps, both clock changes, and the days that were not like the others."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from usage_platform.core.load.month import Month, profile
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.time.calendar import Calendar
from usage_platform_tests.core.detector.series import HOUR, HOURLY, NO_CALENDAR, library

MARCH, NOVEMBER = Month(date(2024, 3, 1)), Month(date(2024, 11, 1))
INSTANTS, VALUES = library(days=120)


def local(text):
    return pd.Timestamp(text, tz="America/New_York").value


def hour_of(text):
    return int(np.searchsorted(INSTANTS, local(text)))


def of_march(values=VALUES, without=()):
    kept = np.ones(len(INSTANTS), dtype=bool)
    kept[list(without)] = False
    return profile(Series(INSTANTS[kept], values[kept]), MARCH, HOURLY, NO_CALENDAR)


@pytest.mark.parametrize(
    ("month", "hours"), [(MARCH, 743), (NOVEMBER, 721), (Month(date(2024, 2, 1)), 696)]
)
def test_a_month_has_the_hours_of_its_clock(month, hours):
    start, end = month.bounds(HOURLY)
    assert (end - start) / pd.Timedelta(hours=1) == hours


def test_the_figures_are_those_of_the_months_own_readings():
    values = np.full(len(INSTANTS), 100.0)
    values[: hour_of("2024-03-01")] = 9000.0
    values[hour_of("2024-03-05T12:00")] = 500.0
    found = of_march(values).figures
    assert (found.readings, found.expected_readings) == (743, 743)
    assert (found.base_kw, found.peak_kw) == (100.0, 500.0)
    assert found.peak_at == pd.Timestamp("2024-03-05T17:00Z")
    assert found.energy_kwh == 743 * 100 + 400
    assert found.mean_kw == pytest.approx(found.energy_kwh / 743)
    assert found.load_factor == found.mean_kw / 500


def test_energy_counts_the_length_of_an_interval():
    meter = Meter("m", "America/New_York", 5)
    instants = local("2024-03-01") + np.arange(12) * HOUR // 12
    found = profile(Series(instants, np.full(12, 60.0)), MARCH, meter, NO_CALENDAR)
    assert found.figures.energy_kwh == pytest.approx(60)
    # Of a month that has only begun, one day is asked for.
    assert found.figures.expected_readings == 288
    assert not found.unusual


def test_gaps_are_found_also_at_the_months_beginning_and_none_where_the_clock_jumps():
    assert of_march().gaps == []
    first = [*range(hour_of("2024-02-29T22:00"), hour_of("2024-03-01T02:00"))]
    second = [hour_of("2024-03-10T01:00"), hour_of("2024-03-10T03:00")]
    found = of_march(without=[*first, *second]).gaps
    utc = [(*(pd.Timestamp(at, tz="UTC") for at in (gap.start, gap.end)), gap) for gap in found]
    assert [(str(start), str(end), gap.missing) for start, end, gap in utc] == [
        ("2024-03-01 05:00:00+00:00", "2024-03-01 07:00:00+00:00", 2),
        ("2024-03-10 06:00:00+00:00", "2024-03-10 08:00:00+00:00", 2),
    ]


def test_a_tuesday_like_a_sunday_is_the_most_unusual_day_whatever_the_season_does():
    values = VALUES + np.linspace(0, 400, len(VALUES))
    at = hour_of("2024-03-12")
    values[at : at + 24] -= 300 * (VALUES[at : at + 24] > 600)
    day, *others = of_march(values).unusual
    assert day.day == date(2024, 3, 12)
    assert day.energy_kwh == pytest.approx(-12 * 300, rel=0.2)
    assert day.unusualness > 2 * others[0].unusualness
    assert day.values.shape == day.usual.shape == day.spread.shape == (24,)


def test_a_rest_day_is_compared_with_sundays():
    values = VALUES.copy()
    at = hour_of("2024-03-12")
    values[at : at + 24] = VALUES[at - 48 : at - 24]
    closed = Calendar(closed=(date(2024, 3, 12),))
    found = profile(Series(INSTANTS, values), MARCH, HOURLY, closed)
    assert date(2024, 3, 12) not in [one.day for one in found.unusual[:1]]
    assert of_march(values).unusual[0].day == date(2024, 3, 12)


def test_a_day_of_which_most_is_missing_is_not_judged():
    values = VALUES.copy()
    at = hour_of("2024-03-12")
    values[at : at + 24] = 0.0
    found = of_march(values, without=range(at, at + 18)).unusual
    assert date(2024, 3, 12) not in [one.day for one in found]


def test_a_meter_that_never_uses_anything_has_a_month_too():
    found = of_march(np.zeros(len(INSTANTS)))
    assert np.isnan(found.figures.load_factor)
    assert {one.unusualness for one in found.unusual} == {0.0}


def test_a_month_without_a_reading_has_no_profile():
    assert profile(Series(INSTANTS, VALUES), NOVEMBER, HOURLY, NO_CALENDAR) is None
