import math

import pandas as pd
import pytest

from usage_platform.core.fleet.meter_row import Energy, completeness, is_silent, present

HOUR = 3600 * 10**9
NOW = pd.Timestamp("2024-03-20T12:00Z").value


def test_the_deviation_compares_the_same_hours():
    energy = Energy(kwh=120.0, compared_kwh=100.0, expected_kwh=80.0)
    assert (energy.deviation_kwh, energy.deviation_share) == (20.0, 0.25)
    assert math.isnan(Energy(120.0, math.nan, math.nan).deviation_share)
    assert math.isnan(Energy(5.0, 5.0, 0.0).deviation_share)


@pytest.mark.parametrize(
    ("newest", "silent_from", "silent"),
    [
        (NOW - HOUR, None, False),
        (NOW - HOUR, NOW - HOUR + 1, True),
        (NOW - HOUR, NOW - 2 * HOUR, False),
        (NOW - 48 * HOUR, None, False),
        (NOW - 49 * HOUR, None, True),
        (None, None, True),
    ],
)
def test_a_meter_is_silent_as_reported_until_it_delivers_or_after_two_days(
    newest, silent_from, silent
):
    assert is_silent(newest, silent_from, NOW) is silent


def test_the_present_is_the_clock_while_readings_are_live_and_else_the_newest_reading():
    assert present(NOW, NOW - HOUR) == NOW
    assert present(NOW, NOW - 49 * HOUR) == NOW - 49 * HOUR


def test_readings_are_expected_of_seven_days_or_since_a_new_meter_began():
    end = NOW
    assert completeness(84, end - 700 * HOUR, end, 1) == 0.5
    assert completeness(240, end - 20 * HOUR, end, 12) == 1.0
    assert completeness(0, end - 700 * HOUR, end, 12) == 0.0
