import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.meter_files.meaning import Ordered
from usage_platform.core.meter_files.register_dips import (
    LONGEST_DIP,
    before_fall,
    dips_of_register,
    unknown_after_falls,
)

USED = st.lists(st.floats(0.5, 1.5), min_size=30, max_size=120)


def dips(values, meters=None):
    values = np.array(values, dtype=np.float64)
    meters = np.zeros(len(values), np.int64) if meters is None else np.array(meters)
    rows = Ordered(meters, np.arange(len(values)), values)
    found = dips_of_register(rows)
    return np.flatnonzero(found).tolist()


@given(USED, st.floats(100, 1e6), st.sampled_from([0.0, 1.0, 7.5]), st.data())
def test_what_a_device_shows_while_it_restarts_is_a_dip(used, first, shown, data):
    values = first + np.cumsum(used)
    expected = []
    at = 1
    while at < len(values) - 1:
        at += data.draw(st.integers(3, 20))
        length = min(data.draw(st.integers(1, LONGEST_DIP)), len(values) - 1 - at)
        if length > 0:
            values[at : at + length] = shown
            expected += range(at, at + length)
        at += length
    assert dips(values) == expected


@given(USED, st.integers(5, 24))
def test_a_register_that_counts_from_0_on_each_day_has_no_dip(used, day):
    days = np.arange(len(used)) // day
    values = [sum(used[at - at % day : at + 1]) * (at % day > 0) for at in range(len(used))]
    assert max(days) > 0
    assert dips(values) == []


@pytest.mark.parametrize(
    "values",
    [
        [20.0, 21.0, 0.0, 1.0, 2.0],  # replaced
        [0.1, 0.2, 0.0, 7.0, 7.1],  # a counter of a day, and a car that charges from midnight on
        [20.0, 21.0, 0.0],  # nobody knows yet
        [21.0, 0.0, *[1.0] * 20],
        [21.0, *[0.0] * (LONGEST_DIP + 1), 22.0],
        [50.0, 0.0, 51.0, 0.0, 49.0, 0.0, 48.0],  # the total of each day, and its begin
    ],
)
def test_a_register_that_begins_at_0_again_has_no_dip(values):
    assert dips(values) == []


def test_a_dip_is_of_one_meter():
    assert dips([20.0, 21.0, 0.0, 22.0], [0, 0, 1, 1]) == []
    assert dips([20.0, 21.0, 0.0, 22.0], [0, 0, 0, 1]) == []
    assert dips([20.0, 0.0, 22.0, 5.0, 0.0, 6.0], [0, 0, 0, 1, 1, 1]) == [1, 4]


def unknown(values):
    rows = Ordered(np.zeros(len(values), np.int64), np.arange(len(values)), np.array(values))
    return unknown_after_falls(rows).tolist()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([20.0, 21.0, 0.0, 22.0, 23.0], [3]),
        ([20.0, 21.0, 0.0, 0.0, 0.0, 22.0, 23.0], [3, 4, 5]),
        ([20.0, 21.0, 0.0, 0.0, 1.0, 2.0], [3]),  # replaced
        ([0.1, 0.2, 0.0, 7.0], []),
        ([21.0, *[0.0] * (LONGEST_DIP + 3), 22.0], [*range(2, LONGEST_DIP + 1)]),
    ],
)
def test_what_is_counted_up_to_the_rise_of_a_dip_is_unknown(values, expected):
    assert np.flatnonzero(unknown(values)).tolist() == expected


SHOWN = st.lists(st.sampled_from([0.0, 1.0, 10.0, 10.5, 11.0]), min_size=1, max_size=40)


@given(SHOWN, st.data())
def test_what_is_unknown_depends_on_no_later_row_and_on_none_before_the_fall(values, data):
    at = data.draw(st.integers(0, len(values) - 1))
    whole = unknown(values)
    assert unknown(values[: at + 1]) == whole[: at + 1]
    first = before_fall(values, at)
    assert 0 <= first <= at
    assert unknown(values[first:])[at - first + 1 :] == whole[at + 1 :]


def test_a_register_of_no_rows_has_no_dip():
    assert dips([]) == []
