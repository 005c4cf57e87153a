"""What is expected of an hour is the mean of what is expected of its intervals."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from usage_platform.core.detector.grid import to_grid
from usage_platform.core.detector.measure import expected_at
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.train import train
from usage_platform.core.detector.week_profile import week_profile
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar
from usage_platform_tests.core.detector.made_models import cut_forests
from usage_platform_tests.core.detector.series import DAY, HOUR, MONDAY, library

CALENDAR = Calendar("US", "MA", (date(2024, 3, 13),))
START = pd.Timestamp("2024-02-05T00:00Z").value
HOURS = 60 * 24
"""From five weeks before the end of the history to two after it; the clocks change within."""


@pytest.mark.parametrize(
    "meter",
    [
        Meter("m", "America/New_York", 60),
        Meter("m", "America/New_York", 15),
        Meter("m", "Asia/Kolkata", 30),
    ],
    ids=lambda meter: f"{meter.timezone} {meter.interval_minutes}",
)
def test_an_hour_is_the_mean_of_its_intervals_in_every_zone_and_week(meter):
    instants, values = library(days=75, meter=meter)
    detector = train(instants, values, meter, TrainingOptions(CALENDAR), MONDAY + 70 * DAY)
    grid = to_grid(np.array([START]), np.array([np.nan]), meter, CALENDAR, START + HOURS * HOUR)
    by_interval = expected_at(detector.baseline, grid)
    per_hour = meter.readings_per_hour
    # In India an hour of the clock begins half an hour after that of UTC.
    first = 1 if meter.timezone == "Asia/Kolkata" else 0
    count = HOURS - first
    means = [by_interval[n : n + per_hour].mean() for n in range(first, count * per_hour, per_hour)]
    found = week_profile(detector).hours(START, count)
    np.testing.assert_array_equal(found, means)
    assert np.isfinite(found).all()


def test_a_detector_that_is_learning_expects_nothing():
    meter = Meter("m", "America/New_York", 60)
    instants, values = library(days=10)
    options = TrainingOptions(CALENDAR)
    assert week_profile(train(instants, values, meter, options, MONDAY + 10 * DAY)) is None


def test_the_forests_of_slots_expect_the_middle_of_their_range_but_in_thin_slots():
    meter = Meter("m", "America/New_York", 60)
    hours = week_profile(cut_forests(meter, 100.0, 200.0, thin=30)).hours(START, 7 * 24)
    local = pd.date_range(START, periods=7 * 24, freq="h", tz="UTC").tz_convert(meter.zone)
    is_thin = (local.weekday == 1) & (local.hour == 6)
    np.testing.assert_array_equal(hours, np.where(is_thin, np.nan, 150.0))
