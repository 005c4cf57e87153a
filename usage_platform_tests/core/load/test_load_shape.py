from dataclasses import replace

import numpy as np
import pytest

from usage_platform.core.load.load_shape import load_duration, load_shape, week_profile
from usage_platform.core.measurement import Sign
from usage_platform_tests.core.load.made_series import HOURLY, days, from_values, local

_START = local("2024-03-05T00:00")


def test_base_and_near_peak_are_medians_over_days_that_one_fault_does_not_move():
    def power(at):
        if at.day == 6:
            return 0.0  # A day without power.
        return 900.0 if 8 <= at.hour < 20 else 400.0

    shape = load_shape(days("2024-03-04", 7, power))
    assert shape.base_kw == 400.0
    assert shape.near_peak_kw == 900.0


def test_the_base_load_of_a_net_meter_is_that_of_the_night():
    def power(at):
        return -300.0 if 10 <= at.hour < 16 else 80.0 if at.hour < 4 else 120.0

    net = replace(HOURLY, sign=Sign.NET)
    assert load_shape(days("2024-03-04", 7, power, net)).base_kw == 80.0
    assert load_shape(days("2024-03-04", 7, power)).base_kw == -300.0
    noon = from_values(local("2024-03-05T12:00"), [-300.0, -200.0], net)
    assert np.isnan(load_shape(noon).base_kw)


def test_peak_mean_load_factor_and_energy():
    shape = load_shape(from_values(_START, [100.0, 300.0, float("nan"), 200.0]))
    assert (shape.peak_kw, shape.peak_at) == (300.0, _START + 3600 * 10**9)
    assert (shape.mean_kw, shape.energy_kwh) == (200.0, 600.0)
    assert shape.load_factor == pytest.approx(2 / 3)


def test_without_a_reading_the_figures_are_unknown_and_the_energy_is_none():
    shape = load_shape(from_values(_START, []))
    assert np.isnan(shape.base_kw)
    assert (shape.peak_at, shape.energy_kwh) == (None, 0.0)


def test_zero_power_has_no_load_factor():
    assert np.isnan(load_shape(from_values(_START, [0.0, 0.0])).load_factor)


def test_the_duration_curve_falls_from_the_peak_to_the_least_over_all_hours():
    hours, power = load_duration(from_values(_START, [100.0, 300.0, 200.0, 200.0]))
    assert (hours[0], hours[-1]) == (0.0, 4.0)
    assert (power[0], power[-1]) == (300.0, 100.0)
    assert (np.diff(power) <= 0).all()
    assert load_duration(from_values(_START, []))[0].size == 0


def test_the_week_profile_is_by_the_wall_clock_on_both_sides_of_the_clock_change():
    # 2024-03-10 is the Sunday when the clocks go forward: 02:00 does not come.
    series = days("2024-03-04", 14, lambda at: 100.0 * (at.weekday() + 1) + at.hour)
    means, counts = week_profile(series, 60)
    expected = 100.0 * (np.arange(7)[:, None] + 1) + np.arange(24)
    np.testing.assert_allclose(means, expected)
    assert counts[6, 2] == 1
    assert counts[0, 2] == 2


def test_a_slot_without_a_reading_is_unknown():
    means, counts = week_profile(days("2024-03-05", 1, lambda at: 1.0), 30)
    assert np.isnan(means[0]).all()
    assert counts[1, 0] == 1
    assert np.isnan(means[1, 1])  # Hourly readings begin on the hour.
