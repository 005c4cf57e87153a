import numpy as np
import pytest

from usage_platform.core.load.comparison import compare_day, compare_week
from usage_platform_tests.core.load.made_series import days, from_values, local


def _until(series, end):
    return series.between(0, local(end))


def test_a_day_is_compared_up_to_the_same_time_of_day_with_the_same_weekdays():
    def power(at):
        week = (at.day_of_year - 1) // 7
        return 100.0 + week if at.weekday() == 0 else 9999.0

    # Mondays from 2024-01-01 on; the fifth is half over.
    found = compare_day(_until(days("2024-01-01", 29, power), "2024-01-29T12:00"))
    assert found.energy_kwh == pytest.approx(12 * 104.0)
    assert found.usual_kwh == pytest.approx(12 * 101.5)  # the median of 100 to 103
    assert found.days == 4
    assert np.isfinite(found.steps).sum() == 12
    assert np.isfinite(found.usual_steps).all()


def test_a_weekday_that_lacks_readings_is_not_compared_with():
    series = days("2024-01-01", 15, lambda at: float("nan") if at.day == 1 else 10.0)
    found = compare_day(series)
    assert found.days == 1
    assert found.usual_kwh == pytest.approx(240.0)


def test_without_such_a_weekday_before_nothing_is_usual():
    found = compare_day(days("2024-01-01", 3, lambda at: 10.0))
    assert found.days == 0
    assert np.isnan(found.usual_kwh)
    assert np.isnan(found.usual_steps).all()


def test_the_day_of_the_clock_change_is_compared_by_the_wall_clock():
    series = days("2024-02-11", 29, lambda at: float(at.hour))
    found = compare_day(series)  # 2024-03-10 has no 02:00
    assert found.energy_kwh == pytest.approx(sum(range(24)) - 2)
    assert np.isnan(found.steps[2])
    assert found.usual_steps[2] == 2.0


def test_a_week_is_seven_whole_days_beside_the_seven_before():
    series = days("2024-01-01", 15, lambda at: 10.0 if at.day <= 7 else 20.0)
    found = compare_week(_until(series, "2024-01-15T06:00"))
    assert (found.before_kwh, found.energy_kwh) == (7 * 240.0, 14 * 240.0)
    assert found.is_whole


def test_a_week_with_a_large_gap_says_so():
    series = days("2024-01-01", 15, lambda at: float("nan") if at.day == 9 else 10.0)
    assert not compare_week(series).is_whole


def test_less_than_two_weeks_are_not_compared_and_neither_is_nothing():
    assert compare_week(days("2024-01-01", 14, lambda at: 1.0)) is None
    assert compare_week(from_values(0, [])) is None
    assert compare_day(from_values(0, [])) is None
