"""Where past errors put the ends of a range."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.forecast.ranges import conformal_range

errors = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200).map(np.array)


@given(errors)
def test_the_range_holds_its_share_of_the_errors_it_was_made_of(past):
    low, high = conformal_range(past)
    assert ((past >= low) & (past <= high)).mean() >= 0.9


@given(errors, st.floats(0.05, 0.9))
def test_a_range_that_is_to_hold_less_is_no_wider(past, covered):
    low, high = conformal_range(past)
    less_low, less_high = conformal_range(past, covered)
    assert low <= less_low
    assert less_high <= high


def test_the_next_error_lies_in_the_range_as_often_as_is_promised():
    rng = np.random.default_rng(1)
    draws = rng.standard_cauchy((4000, 60))
    hits = [low <= draw[-1] <= high for draw in draws for low, high in [conformal_range(draw[:-1])]]
    assert 0.89 < np.mean(hits) < 0.92


def test_with_too_few_errors_all_of_them_lie_within():
    assert conformal_range(np.array([3.0, -1.0, 2.0])) == (-1.0, 3.0)
