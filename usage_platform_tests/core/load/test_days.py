from datetime import date

import pytest

from usage_platform.core.load.days import day_totals
from usage_platform_tests.core.load.made_series import days, from_values, local


@pytest.mark.parametrize(
    ("day", "hours"), [("2024-03-10", 23), ("2024-03-11", 24), ("2024-11-03", 25)]
)
def test_a_day_has_the_hours_that_its_clock_has(day, hours):
    total = day_totals(days(day, 1, lambda at: 10.0), 0.2)[0]
    assert (total.day, total.readings, total.expected_readings) == (
        date.fromisoformat(day),
        hours,
        hours,
    )
    assert total.energy_kwh == pytest.approx(10.0 * hours)
    assert total.cost == pytest.approx(2.0 * hours)


def test_a_day_without_readings_between_two_others_is_there_without_a_peak():
    values = [5.0] * 24 + [float("nan")] * 24 + [7.0] * 24
    totals = day_totals(from_values(local("2024-03-05T00:00"), values), None)
    assert [total.readings for total in totals] == [24, 0, 24]
    assert [total.peak_kw for total in totals] == [5.0, None, 7.0]
    assert totals[1].energy_kwh == 0.0
    assert totals[0].cost is None


def test_without_readings_there_are_no_days():
    assert day_totals(from_values(0, []), 1.0) == []
