import numpy as np
import pytest

from usage_platform.core.detector.robust import robust_size, robust_weights

RNG = np.random.default_rng(3)
EVERYWHERE = np.ones(500, dtype=np.bool_)


def test_the_size_of_normal_errors_is_their_standard_deviation_and_outliers_do_not_move_it():
    errors = RNG.normal(0, 5, 2000)
    faulty = np.where(np.arange(2000) % 10 == 0, 1000.0, errors)
    assert robust_size(errors) == pytest.approx(5, rel=0.05)
    assert robust_size(faulty) == pytest.approx(5, rel=0.2)
    assert robust_size(np.append(errors, np.nan)) == robust_size(errors)


def test_the_size_of_no_errors_is_one_and_of_equal_readings_never_zero():
    assert robust_size(np.full(3, np.nan)) == 1.0
    assert robust_size(np.zeros(10)) > 0


def test_weights_are_those_that_most_places_follow():
    levels = (RNG.normal(0, 1, 500), RNG.normal(0, 1, 500))
    target = 0.7 * levels[0] + 0.2 * levels[1] + RNG.normal(0, 0.05, 500)
    target[::20] = 50.0
    assert robust_weights(levels, target, EVERYWHERE) == pytest.approx((0.7, 0.2), abs=0.03)


def test_without_a_place_to_learn_from_levels_carry_nothing_over():
    levels = (np.ones(500), np.ones(500))
    assert robust_weights(levels, np.full(500, np.nan), EVERYWHERE) == (0.0, 0.0)
    assert robust_weights(levels, np.ones(500), ~EVERYWHERE) == (0.0, 0.0)
