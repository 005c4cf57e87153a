import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.readings.shared_instants import shared_instants
from usage_platform.core.time.units import NS_A_DAY, NS_A_MINUTE

START = 20_000 * NS_A_DAY


def is_shared(instants) -> bool:
    return not instants.flags.writeable


@given(st.integers(-(10**6), 10**6), st.sampled_from([1, 5, 15, 30, 60]), st.integers(1, 20_000))
def test_instants_are_the_same_and_shared_without_a_gap(minute, interval, size):
    step = interval * NS_A_MINUTE
    instants = START + minute * NS_A_MINUTE + step * np.arange(size)
    found = shared_instants(instants)
    np.testing.assert_array_equal(found, instants)
    assert is_shared(found) == (size >= 288 and step * (size - 1) <= 64 * NS_A_DAY)


@given(st.sets(st.integers(0, 400), min_size=2), st.sampled_from([1, 5, 60]))
def test_instants_with_gaps_are_the_same(places, interval):
    instants = START + interval * NS_A_MINUTE * np.array(sorted(places))
    np.testing.assert_array_equal(shared_instants(instants), instants)


@pytest.mark.parametrize("gap", [1, 150, 298])
def test_instants_with_one_gap_are_not_shared(gap):
    instants = np.delete(START + 5 * NS_A_MINUTE * np.arange(300), gap)
    assert shared_instants(instants) is instants


def test_as_many_steps_that_are_not_alike_are_not_shared():
    instants = START + NS_A_MINUTE * np.arange(300)
    instants[150] += NS_A_MINUTE // 2
    assert shared_instants(instants) is instants


def test_meters_share_one_array():
    one = shared_instants(START + 5 * NS_A_MINUTE * np.arange(300))
    other = shared_instants(START + 5 * NS_A_MINUTE * np.arange(100, 500))
    assert np.shares_memory(one, other)
