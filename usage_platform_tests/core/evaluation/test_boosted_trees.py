"""Boosted trees learn from the days before only."""

from dataclasses import replace

import numpy as np

from usage_platform.core.evaluation.boosted_trees import boosted_power
from usage_platform.core.forecast.windows import cut_windows
from usage_platform_tests.core.forecast.made_history import BOSTON, HOLIDAYS, at, healthy


def test_trees_forecast_from_the_first_day_on_by_what_came_before():
    made_at = at("2023-08-10")
    windows = cut_windows(healthy().until(made_at), BOSTON, HOLIDAYS, made_at)
    wild = windows.values.copy()
    wild[60:] = 1e6
    power, other = boosted_power(windows, 55), boosted_power(replace(windows, values=wild), 55)
    assert np.isnan(power[:55]).all()
    assert np.array_equal(power[55:61], other[55:61])
    missed = np.abs(power - windows.values)[55:-1]
    assert missed.mean() < 0.1 * windows.values[55:-1].mean()
