"""Tables compared by row hash: the order does not matter, each kind of difference is counted."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.readings.row_comparison import compare_rows


@given(st.permutations(range(6)))
def test_the_order_of_rows_does_not_matter(order):
    frame = pd.DataFrame({"k": list("abcdef"), "v": [0.0, 1.5, None, 3.0, -1.0, 2.0]})
    result = compare_rows(frame, frame.iloc[list(order)], ["k"])
    assert (result.compared, result.wrong) == (6, 0)
    assert result.expected_digest == result.actual_digest


def test_missing_extra_repeated_and_different_rows_are_told_apart():
    expected = pd.DataFrame({"k": ["a", "b", "c"], "v": [1.0, 2.0, 3.0]})
    actual = pd.DataFrame({"k": ["b", "c", "c", "d"], "v": [2.5, 3.0, 3.0, 4.0]})
    result = compare_rows(expected, actual, ["k"])
    assert (result.missing, result.extra, result.different) == (1, 2, 1)
    assert (result.compared, result.wrong) == (4, 4)


def test_numbers_of_another_width_are_equal_and_a_missing_one_is_one_row():
    expected = pd.DataFrame({"k": [1, 2], "n": [12, 13]})
    narrow = expected.astype({"n": "int32"})
    assert compare_rows(expected, narrow, ["k"]).wrong == 0
    lacking = expected.assign(n=[None, 13.0])
    assert compare_rows(expected, lacking, ["k"]).different == 1
