import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform_tests.tools.bench.scale.exponent import expected_cost, exponent

SIZES = [1.0, 10.0, 100.0, 1000.0]


@given(st.floats(0.0, 50.0), st.floats(0.1, 10.0))
def test_a_cost_that_grows_in_proportion_has_exponent_1_whatever_its_constant_part(a, b):
    cost = [a + b * size for size in SIZES]
    assert exponent(SIZES, cost) == pytest.approx(1.0, abs=1e-6)


@given(st.floats(0.7, 2.0), st.floats(0.0, 5.0))
def test_a_power_of_the_work_is_found_under_a_constant_part(power, a):
    cost = [a + 0.5 * size**power for size in SIZES]
    assert exponent(SIZES, cost) == pytest.approx(power, abs=0.1)


def test_a_square_is_not_hidden_by_a_large_constant_part():
    found = exponent(SIZES, [20 + 0.001 * size**2 for size in SIZES])
    assert found is not None
    assert found > 1.9


def test_a_cost_that_hardly_grows_has_no_exponent():
    assert exponent(SIZES, [10.0, 10.4, 9.9, 10.7]) is None
    assert exponent(SIZES, [0.01, 0.02, 0.05, 0.11]) is None


def test_two_sizes_are_too_few():
    assert exponent([1.0, 10.0], [1.0, 10.0]) is None


def test_a_larger_size_is_expected_to_cost_as_much_a_unit_as_those_before():
    assert expected_cost([1.0, 10.0], [5.0, 14.0], 100.0) == pytest.approx(104.0)
    assert expected_cost([1.0, 10.0], [5.0, 4.0], 100.0) == 5.0
    assert expected_cost([1.0], [5.0], 10.0) is None
