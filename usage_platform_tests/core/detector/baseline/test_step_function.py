import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest

from usage_platform.core.detector.baseline.step_function import (
    MAX_SAMPLES,
    StepFunction,
    fit_step_function,
)

TREES, SEED = 100, 42


def by_scikit_learn(values, asked):
    forest = IsolationForest(n_estimators=TREES, random_state=SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return -forest.fit(values.reshape(-1, 1)).score_samples(asked.reshape(-1, 1))


def telling(values, steps):
    """Each value and each cut, what lies just beside them in float32, and what is far away."""
    edges = np.concatenate([values, steps.cuts[:-1]]).astype(np.float32)
    beside = [np.nextafter(edges, np.float32(side)) for side in (-np.inf, np.inf)]
    spread = np.linspace(values.min() - 9, values.max() + 9, 200)
    return np.concatenate([edges, *beside, steps.cuts[:-1], spread, [0.0, 1e8]]).astype(np.float64)


def assert_same(values):
    steps = fit_step_function(values, TREES, SEED)
    asked = telling(values, steps)
    assert steps(asked).tobytes() == by_scikit_learn(values, asked).tobytes()


powers = st.one_of(st.floats(0, 2_000), st.integers(0, 250).map(lambda step: step * 7.2))


@settings(max_examples=8, deadline=None)
@given(st.lists(powers, min_size=2, max_size=60))
def test_the_score_is_that_of_scikit_learn_to_the_last_bit(values):
    assert_same(np.array(values))


@pytest.mark.parametrize(
    "values",
    [
        np.full(10, 871.2),
        np.zeros(2),
        np.array([1.0, 2.0]),
        np.array([500.0] * 9 + [1_500.0]),
        np.array([0.0, 1e8, 5e7, 1.0]),
        np.nextafter(np.float32(871.2), np.float32([0, 1e4] * 3)).astype(np.float64),
        np.array([0.1, 0.1 + 1e-12, 0.1 - 1e-12, 0.2]),
        np.random.default_rng(1).normal(900, 80, 60),
        np.random.default_rng(2).normal(900, 80, MAX_SAMPLES),
    ],
    ids=[
        *("constant", "zeros", "two", "outlier", "wide", "next_to_each_other", "equal_in_float32"),
        *("sixty", "as_many_as_there_may_be"),
    ],
)
def test_the_score_is_that_of_scikit_learn_also_at_the_edges(values):
    assert_same(values)


def test_of_more_values_than_a_tree_takes_the_newest_count():
    values = np.random.default_rng(3).normal(900, 80, MAX_SAMPLES + 5)
    newest = fit_step_function(values[-MAX_SAMPLES:], 10, SEED)
    assert_equal_steps(fit_step_function(values, 10, SEED), newest)


def test_the_order_of_the_values_does_not_matter():
    values = np.random.default_rng(4).normal(900, 80, 30)
    assert_equal_steps(
        fit_step_function(values[::-1].copy(), 10, SEED), fit_step_function(values, 10, SEED)
    )


def test_steps_are_ascending_end_at_infinity_and_never_repeat_a_score():
    steps = fit_step_function(np.random.default_rng(5).normal(900, 80, 40), TREES, SEED)
    assert (np.diff(steps.cuts) > 0).all()
    assert steps.cuts[-1] == np.inf
    assert (np.diff(steps.scores) != 0).all()
    assert ((steps.scores > 0) & (steps.scores < 1)).all()


def test_a_value_on_a_cut_lies_in_the_step_that_ends_there():
    steps = StepFunction(np.array([1.0, 2.0, np.inf]), np.array([0.7, 0.4, 0.8]))
    assert steps(np.array([-5.0, 1.0, 1.5, 2.0, 2.5])).tolist() == [0.7, 0.7, 0.4, 0.4, 0.8]


def assert_equal_steps(one, other):
    assert one.cuts.tobytes() == other.cuts.tobytes()
    assert one.scores.tobytes() == other.scores.tobytes()
