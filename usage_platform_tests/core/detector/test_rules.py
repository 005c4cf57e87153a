import numpy as np

from usage_platform.core.detector.grid import to_grid
from usage_platform.core.detector.rules import (
    NEVER,
    anomalous_zeros,
    flatline_after,
    gross_without_model,
    usual_zeros,
    without_zeros,
)
from usage_platform_tests.core.detector.series import HOUR, HOURLY, NO_CALENDAR, library


def grid_of(values, instants=None):
    instants = library(1)[0][0] + HOUR * np.arange(len(values)) if instants is None else instants
    return to_grid(instants, np.asarray(values, dtype=float), HOURLY, NO_CALENDAR, 0)


def test_a_zero_is_odd_where_zeros_are_rare():
    instants, values = library(28)
    values[100] = 0.0
    grid = grid_of(values, instants)
    odd = anomalous_zeros(grid, usual_zeros(grid))
    assert np.flatnonzero(odd).tolist() == [100]
    assert np.isnan(without_zeros(grid, usual_zeros(grid)).values[100])


def test_a_zero_is_usual_for_a_meter_that_is_off_at_night():
    instants, values = library(28)
    grid = grid_of(np.where(values < 480, 0.0, values), instants)
    assert not anomalous_zeros(grid, usual_zeros(grid)).any()


def test_a_meter_that_often_repeats_itself_is_stuck_later():
    instants, values = library(56)
    fine = flatline_after(grid_of(values, instants))
    coarse = flatline_after(grid_of(np.rint(values / 200) * 200, instants))
    assert fine == 6
    assert coarse > fine


def test_a_meter_that_never_changes_is_never_stuck():
    instants, values = library(56)
    assert flatline_after(grid_of(np.full(len(values), 7.0), instants)) == NEVER


def test_a_meter_that_is_off_for_most_days_may_be_stuck_on_the_others():
    instants, values = library(56)
    on_alone = flatline_after(grid_of(values, instants))
    values[: 40 * 24] = 0.0
    assert flatline_after(grid_of(values, instants)) == on_alone


def test_a_meter_that_is_off_each_night_is_stuck_as_soon_as_one_that_is_not():
    instants, values = library(56)
    on_alone = flatline_after(grid_of(values, instants))
    assert flatline_after(grid_of(np.where(values < 480, 0.0, values), instants)) == on_alone


def test_a_meter_of_zeros_alone_is_never_stuck():
    assert flatline_after(grid_of(np.zeros(500))) == NEVER


def test_without_a_model_only_a_leap_above_the_week_before_is_gross():
    values = np.append(np.linspace(100, 200, 48), [250.0, 800.0])
    assert np.flatnonzero(gross_without_model(grid_of(values))).tolist() == [49]
    assert not gross_without_model(grid_of([1.0, 900.0])).any()
