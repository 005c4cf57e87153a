from datetime import date

import numpy as np
import pandas as pd
import pytest

from usage_platform.core.detector.grid import SUNDAY, to_grid
from usage_platform.core.meters import INTERVALS, Meter
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.units import instants_of
from usage_platform_tests.core.detector.series import DAY, HOUR, HOURLY, NO_CALENDAR


def of_local_day(day, hours):
    start = pd.Timestamp(day, tz=HOURLY.timezone).value
    instants = start + HOUR * np.arange(hours)
    return to_grid(instants, np.arange(hours, dtype=float), HOURLY, NO_CALENDAR, 0)


def test_the_hour_that_is_skipped_in_spring_has_no_step():
    grid = of_local_day("2024-03-10", 23)
    assert grid.step.tolist() == [0, 1, *range(3, 24)]
    assert len(set(grid.day)) == 1


def test_the_hour_that_comes_twice_in_autumn_has_its_step_twice():
    grid = of_local_day("2024-11-03", 25)
    assert grid.step.tolist() == [0, 1, 1, *range(2, 24)]
    assert len(set(grid.day)) == 1


@pytest.mark.parametrize(
    "zone",
    ["Asia/Kolkata", "Asia/Kathmandu", "Australia/Adelaide", "Australia/Lord_Howe", "Europe/Rome"],
)
@pytest.mark.parametrize("minutes", INTERVALS)
def test_a_reading_has_the_local_day_and_time_at_which_its_interval_begins(zone, minutes):
    meter = Meter("m", zone, minutes)
    changes_in_both_hemispheres = pd.date_range("2024-03-29", "2024-04-09", freq="min", tz=zone)
    wall = changes_in_both_hemispheres.tz_localize(None)
    on_grid = wall == wall.floor(f"{minutes}min")
    wall = wall[on_grid]
    instants = changes_in_both_hemispheres[on_grid].tz_convert("UTC").as_unit("ns").asi8
    grid = to_grid(instants, np.arange(len(instants)) + 1.0, meter, NO_CALENDAR, 0)
    at = (instants - grid.start) // grid.interval
    midnight = wall.normalize()
    step = (wall - midnight) // pd.Timedelta(minutes=minutes)
    np.testing.assert_array_equal(grid.step[at], step)
    np.testing.assert_array_equal(grid.day[at], midnight.as_unit("ns").asi8 // DAY)


def test_readings_that_are_missing_or_not_finite_are_nan():
    grid = to_grid(
        HOUR * np.array([0, 1, 3]), np.array([1.0, np.inf, 3.0]), HOURLY, NO_CALENDAR, 5 * HOUR
    )
    np.testing.assert_array_equal(grid.values, [1.0, np.nan, np.nan, 3.0, np.nan])


@pytest.mark.parametrize(
    ("calendar", "rests"),
    [
        (Calendar(), False),
        (Calendar("US"), True),
        (Calendar(closed=(date(2024, 7, 4),)), True),
        (Calendar("US", closed=(date(2024, 7, 5),)), True),
        (Calendar(closed=(date(2024, 7, 5),)), False),
    ],
)
def test_holidays_and_closing_days_count_as_sundays(calendar, rests):
    start = pd.Timestamp("2024-07-04", tz=HOURLY.timezone).value
    grid = to_grid(np.array([start]), np.array([1.0]), HOURLY, calendar, start + DAY)
    assert set(grid.weekday) == {SUNDAY if rests else 3}


def test_instants_do_not_depend_on_the_unit_of_the_times():
    ts = pd.Series(pd.to_datetime(["2024-01-01T00:00Z"]))
    assert instants_of(ts.astype("datetime64[us, UTC]")) == instants_of(
        ts.astype("datetime64[ns, UTC]")
    )
