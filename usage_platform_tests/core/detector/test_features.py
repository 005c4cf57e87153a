import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.detector.features import (
    daily_levels,
    recent_volatility,
    run_lengths,
    slow_levels,
    trailing_mean,
)
from usage_platform.core.detector.grid import to_grid
from usage_platform_tests.core.detector.series import DAY, HOURLY, MONDAY, NO_CALENDAR, library


def test_a_trailing_mean_looks_back_only_and_spares_the_nearest():
    values = np.array([1.0, 2.0, 4.0, 8.0])
    np.testing.assert_array_equal(trailing_mean(values, 1, 2), [0.0, 1.0, 1.5, 3.0])


def test_a_trailing_mean_of_too_few_values_is_0():
    assert trailing_mean(np.array([6.0, np.nan, np.nan, np.nan, 0.0]), 1, 4)[-1] == 0.0


def test_runs_count_equal_readings_across_gaps():
    values = np.array([5.0, 5.0, np.nan, 5.0, 6.0])
    assert run_lengths(values, 5).tolist() == [1, 2, 0, 3, 1]
    assert run_lengths(values, 3).tolist() == [1, 2, 0, 2, 1]
    assert run_lengths(values, 1).tolist() == [1, 1, 0, 1, 1]


def test_a_shift_of_the_whole_week_becomes_its_level():
    instants, _ = library(30)
    grid = to_grid(instants, np.full(len(instants), 2.0), HOURLY, NO_CALENDAR, 0)
    week, same = slow_levels(grid.values, grid)
    assert week[-1] == same[-1] == 2.0


def test_one_faulty_day_of_the_same_type_does_not_move_the_level():
    instants, _ = library(15)
    z = np.zeros(len(instants))
    z[-3 * 24 : -2 * 24] = 30.0
    _, same = slow_levels(z, to_grid(instants, z, HOURLY, NO_CALENDAR, 0))
    assert (same[-24:] == 0.0).all()


def test_a_fault_counts_as_three_spreads_at_most_in_the_level_of_the_day():
    rest = np.append(np.zeros(24), 1000.0)
    last_day, _ = daily_levels(np.append(rest, 0.0), 1.0, 1)
    assert last_day[-1] == 3.0 / 24


def test_volatility_follows_days_of_large_errors_and_no_fault_of_a_day():
    usual = np.ones(24 * 10)
    assert recent_volatility(usual, 1.0, 1).max() == 1.0
    one_day = usual.copy()
    one_day[-24:] = 20.0
    assert recent_volatility(one_day, 1.0, 1).max() == 1.0
    four_days = usual.copy()
    four_days[-96:] = 20.0
    assert recent_volatility(four_days, 1.0, 1)[-1] == 20.0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 40), st.integers(0, 1000))
def test_levels_do_not_depend_on_what_stands_before_the_context(cut, seed):
    instants, _ = library(80)
    z = np.random.default_rng(seed).normal(0, 3, len(instants))
    z = np.rint(z * 1024) / 1024
    late = instants >= MONDAY + cut * DAY
    whole = slow_levels(z, to_grid(instants, z, HOURLY, NO_CALENDAR, 0))
    part = slow_levels(z[late], to_grid(instants[late], z[late], HOURLY, NO_CALENDAR, 0))
    for one, other in zip(whole, part, strict=True):
        np.testing.assert_array_equal(one[-24:], other[-24:])
