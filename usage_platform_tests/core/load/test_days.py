from datetime import date

import pytest

from usage_platform.core.load.days import day_totals, gaps
from usage_platform_tests.core.load.made_series import days, from_values, local

_HOUR = 3600 * 10**9


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


def test_a_gap_reaches_from_the_first_missing_interval_to_the_next_reading():
    start = local("2024-03-05T00:00")
    nan = float("nan")
    found = gaps(from_values(start, [1.0, nan, nan, 2.0, 3.0, nan, 4.0]))
    assert [(gap.start, gap.end, gap.missing) for gap in found] == [
        (start + _HOUR, start + 3 * _HOUR, 2),
        (start + 5 * _HOUR, start + 6 * _HOUR, 1),
    ]


def test_without_readings_there_are_no_days_and_no_gaps():
    nothing = from_values(0, [])
    assert day_totals(nothing, 1.0) == []
    assert gaps(nothing) == []
