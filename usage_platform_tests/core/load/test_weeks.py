"""A week over the weeks before, on the wall clock: clock changes and half-hour zones."""

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.load.weeks import WEEKS_BEFORE, compare_weeks
from usage_platform.core.meters import Meter
from usage_platform.core.time.day_numbers import day_of
from usage_platform_tests.core.load.made_series import days, from_values, local

NEW_YORK = Meter("m", "America/New_York", 60)
LORD_HOWE = Meter("m", "Australia/Lord_Howe", 30)
"""Its clocks change by half an hour."""


def test_the_week_of_spring_has_167_hours_and_no_value_in_the_hour_that_is_skipped():
    found = compare_weeks(days("2024-02-05", 35, lambda at: float(at.hour)), 4)
    spring = found.weeks[-1]
    assert (day_of(spring.monday), spring.hours) == (date(2024, 3, 4), 167)
    assert (spring.readings, spring.expected_readings) == (167, 167)
    sunday = found.power[6 * 24 :]
    assert np.flatnonzero(np.isnan(sunday)).tolist() == [2]
    assert sunday[3] == found.usual[6 * 24 + 3] == 3.0


def test_the_week_of_autumn_has_169_hours_and_the_mean_of_the_hour_that_comes_twice():
    def power(at: pd.Timestamp) -> float:
        is_second = at.hour == 1 and at.utcoffset() == pd.Timedelta(hours=-5)
        return 30.0 if is_second else 10.0

    found = compare_weeks(days("2024-10-28", 7, power), 4)
    autumn = found.weeks[-1]
    assert (day_of(autumn.monday), autumn.hours) == (date(2024, 10, 28), 169)
    assert autumn.energy_kwh == pytest.approx(168 * 10 + 30)
    # The week of the comparison as one before: its mean is that of the wall clock too.
    assert found.power[6 * 24 + 1] == 20.0
    later = compare_weeks(days("2024-10-28", 14, power), 4)
    assert later.usual[6 * 24 + 1] == 20.0


@pytest.mark.parametrize(
    ("first", "hours"), [("2024-04-01", 168.5), ("2024-09-30", 167.5), ("2024-06-03", 168.0)]
)
def test_a_zone_whose_clocks_change_by_half_an_hour_has_a_week_of_such_a_length(first, hours):
    found = compare_weeks(days(first, 7, lambda at: at.hour + at.minute / 60, LORD_HOWE), 4)
    assert found.weeks[-1].hours == hours
    assert found.weeks[-1].readings == found.weeks[-1].expected_readings == hours * 2
    known = np.isfinite(found.power)
    assert found.power[known] == pytest.approx((np.arange(336) % 48 / 2)[known])
    assert (~known).sum() == (hours == 167.5)


@settings(max_examples=40)
@given(
    st.sampled_from(
        ["America/New_York", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe"]
    ),
    st.dates(date(2023, 1, 1), date(2025, 12, 1)),
    st.integers(1, 70 * 24),
    st.sampled_from(WEEKS_BEFORE),
)
def test_each_reading_is_where_the_wall_clock_says_and_none_is_lost(zone, first, count, before):
    meter = Meter("m", zone, 60)
    start = pd.Timestamp(first, tz="UTC")
    values = list(np.random.default_rng(count).uniform(-5, 50, count))
    series = from_values(start.value, values, meter)
    found = compare_weeks(series, before)
    at = pd.DatetimeIndex(series.instants).tz_localize("UTC").tz_convert(meter.zone)
    monday = at.tz_localize(None).normalize() - pd.to_timedelta(at.weekday, "D")
    frame = pd.DataFrame({"monday": monday, "kw": values, "wall": at.tz_localize(None)})
    frame["step"] = (frame["wall"] - frame["monday"]) // pd.Timedelta(hours=1)
    shown = [pd.Timestamp(day_of(week.monday)) for week in found.weeks]
    assert len(shown) == before + 1
    assert shown[-1] == monday[-1]
    for week, day in zip(found.weeks, shown, strict=True):
        own = frame[frame["monday"] == day]
        is_reached = own["wall"] - day <= frame["wall"].iloc[-1] - shown[-1]
        reached = own if day == shown[-1] else own[is_reached]
        assert week.to_date_readings == len(reached)
        assert week.due_readings <= week.expected_readings
        assert week.readings == len(own)
        assert week.energy_kwh == pytest.approx(math.fsum(own["kw"]))
        assert week.to_date_kwh == pytest.approx(math.fsum(reached["kw"]))
    own = frame[frame["monday"] == shown[-1]].groupby("step")["kw"].mean()
    assert np.flatnonzero(np.isfinite(found.power)).tolist() == own.index.tolist()
    np.testing.assert_allclose(found.power[own.index], own)
    known = np.isfinite(found.low)
    assert (found.low[known] <= found.usual[known]).all()
    assert (found.usual[known] <= found.high[known]).all()


def test_a_week_that_lacks_readings_says_nothing_of_what_is_usual():
    def power(at: pd.Timestamp) -> float:
        is_gap = date(2024, 1, 8) <= at.date() <= date(2024, 1, 9)
        return math.nan if is_gap else 500.0 if at.date() < date(2024, 1, 15) else 10.0

    series = days("2024-01-08", 15, power)
    found = compare_weeks(series, 4)
    assert [week.is_compared for week in found.weeks] == [False, False, False, True, False]
    assert found.weeks[2].readings == 5 * 24
    assert found.high.max() == 10.0
    assert found.usual_kwh == 24 * 10.0


def test_without_weeks_before_there_is_no_band_and_without_readings_nothing():
    found = compare_weeks(days("2024-01-01", 3, lambda at: 10.0), 4)
    assert np.isnan(found.low).all()
    assert math.isnan(found.usual_kwh)
    assert compare_weeks(from_values(0, []), 8) is None


def test_short_intervals_are_shown_in_quarters_of_an_hour():
    meter = Meter("m", "Asia/Kolkata", 5)
    series = from_values(local("2024-01-01", meter), [float(n % 3) for n in range(12)], meter)
    found = compare_weeks(series, 4)
    assert (found.step_minutes, len(found.power)) == (15, 7 * 96)
    assert found.power[:4] == pytest.approx([1.0] * 4)
    assert compare_weeks(from_values(0, [1.0], Meter("m", "UTC", 12)), 4).step_minutes == 60


def test_a_week_is_compared_if_it_has_its_readings_up_to_the_time_of_the_newest_one():
    def power(at: pd.Timestamp) -> float:
        # The first week lacks its Monday alone, the second one its weekend.
        is_gap = at.date() == date(2024, 1, 8) or date(2024, 1, 20) <= at.date() <= date(
            2024, 1, 21
        )
        return math.nan if is_gap else 10.0

    found = compare_weeks(days("2024-01-08", 15, power), 4)
    assert [week.is_compared for week in found.weeks[2:]] == [False, True, False]
    assert [week.to_date_readings for week in found.weeks[2:]] == [0, 24, 24]
    assert [week.due_readings for week in found.weeks[2:]] == [24, 24, 24]


def test_a_newest_week_that_lacks_readings_is_not_compared():
    def power(at: pd.Timestamp) -> float:
        return math.nan if at.date() == date(2024, 1, 15) and at.hour < 20 else 10.0

    found = compare_weeks(days("2024-01-08", 8, power), 4)
    assert found.weeks[-2].is_compared
    assert (found.weeks[-1].to_date_readings, found.weeks[-1].due_readings) == (4, 24)
    assert math.isnan(found.usual_kwh)


def test_in_the_hour_that_comes_twice_no_reading_of_the_newest_week_is_left_out():
    meter = Meter("m", "America/New_York", 30)
    # From Monday 00:00 to the second 01:00 of Sunday: 01:30 has been once.
    series = from_values(local("2024-10-28", meter), [2.0] * (6 * 48 + 5), meter)
    newest = compare_weeks(series, 4).weeks[-1]
    assert newest.to_date_readings == newest.due_readings == newest.readings == 6 * 48 + 5
    assert newest.to_date_kwh == newest.energy_kwh
