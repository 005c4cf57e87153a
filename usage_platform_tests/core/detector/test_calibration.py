import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.detector.calibration import threshold_for_budget


def heavy_days(days, seed):
    return np.exp(np.random.default_rng(seed).gumbel(1.2, 0.2, days))


@pytest.mark.parametrize("per_week", [0.3, 0.5, 1.0])
def test_the_bar_is_crossed_as_often_as_asked(per_week):
    bar = threshold_for_budget(heavy_days(2000, 1), per_week)
    crossed = 7 * (heavy_days(20_000, 2) > bar).mean()
    assert 0.7 * per_week < crossed < 1.4 * per_week


def test_faults_on_a_fifth_of_the_days_hardly_move_the_bar():
    clean = heavy_days(2000, 1)
    faulty = clean.copy()
    faulty[::5] = 100.0
    bar = threshold_for_budget(clean, 0.5)
    # A plain quantile would stand at the faults themselves.
    assert np.quantile(faulty, 1 - 0.5 / 7) == 100.0
    assert bar <= threshold_for_budget(faulty, 0.5) < 2 * bar


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.floats(0.01, 6.9))
def test_a_smaller_budget_never_lowers_the_bar(maxima, budget):
    days = np.array(maxima)
    assert threshold_for_budget(days, budget / 2) >= threshold_for_budget(days, budget) >= 0
