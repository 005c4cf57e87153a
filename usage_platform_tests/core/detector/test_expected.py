import numpy as np

from usage_platform.core.detector.expected import SUN_HOURS, days_by_step, slot_medians, spreads
from usage_platform.core.detector.grid import to_grid
from usage_platform_tests.core.detector.series import HOURLY, NO_CALENDAR, library

WEEKDAYS = np.arange(28) % 7


def test_a_few_faulty_days_do_not_move_the_expected_value():
    table = np.full((28, 24), 500.0)
    table[[0, 8]] = 5000.0
    own, pool = slot_medians(table, WEEKDAYS)
    assert (own == 500).all()
    assert (pool == 500).all()


def test_a_weekday_without_readings_takes_what_its_day_type_shows():
    table = np.where(WEEKDAYS[:, None] < 5, 900.0, 400.0) * np.ones(24)
    table[WEEKDAYS == 2] = np.nan
    own, _ = slot_medians(table, WEEKDAYS)
    assert (own[2] == 900).all()


def test_a_saturday_never_seen_takes_the_median_of_all_days():
    table = np.full((10, 24), 900.0)
    own, _ = slot_medians(table, np.full(10, 1))
    assert (own[5] == 900).all()


def test_too_few_comparables_expect_nothing():
    own, pool = slot_medians(np.full((1, 24), 900.0), np.array([1]))
    assert np.isnan(own).all()
    assert np.isnan(pool).all()


def test_a_spread_is_robust_and_has_a_floor_for_constant_readings():
    rng = np.random.default_rng(0)
    errors = rng.normal(0, 20, (28, 24))
    errors[[3, 9]] = 900.0
    size = np.full(24, 500.0)
    assert np.all(np.abs(spreads(errors, WEEKDAYS, size) - 20) < 12)
    assert (spreads(np.zeros((28, 24)), WEEKDAYS, size) == 5.0).all()


def test_a_net_meter_has_the_largest_spread_of_the_hours_around_as_the_sun_wanders():
    rng = np.random.default_rng(0)
    usual = np.where(np.arange(24) == 7, 200.0, 5.0)
    errors = rng.normal(0, 1, (28, 24)) * usual
    size = np.full(24, 100.0)
    own, net = spreads(errors, WEEKDAYS, size), spreads(errors, WEEKDAYS, size, is_net=True)
    near = (np.arange(24) >= 7 - SUN_HOURS - 1) & (np.arange(24) <= 7 + SUN_HOURS + 1)
    assert (net >= own).all()
    assert (net[:, 7 - SUN_HOURS : 8 + SUN_HOURS] >= own[:, 7:8]).all()
    assert (net[:, ~near] < 20).all()


def test_days_by_step_leaves_the_skipped_hour_empty():
    march = 1709960400 * 10**9  # 2024-03-09 00:00 in New York
    table, weekday = days_by_step(to_grid(*library(2, start=march), HOURLY, NO_CALENDAR, 0))
    assert np.isnan(table[1, 2])
    assert np.count_nonzero(np.isnan(table[:2])) == 1
    assert weekday.tolist()[:2] == [5, 6]
