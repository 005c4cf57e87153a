"""Numbers as people and programs write them."""

import numpy as np
import pandas as pd
import pytest

from usage_platform.core.meter_files.numbers import decimal_mark, is_number, read_numbers


@pytest.mark.parametrize(
    ("text", "mark", "value"),
    [
        ("\u22121.5", ".", -1.5),
        ("1.5-", ".", -1.5),
        ("1.234,5-", ",", -1234.5),
        ("1,23,456.5", ".", 123456.5),
        ("-12,34,567", ".", -1234567),
        ("1\u202f234,5", ",", 1234.5),
        ("1\u2019234.5", ".", 1234.5),
    ],
)
def test_a_number(text, mark, value):
    assert is_number(text)
    found = read_numbers(pd.Series([text, "1"]), mark)
    assert list(found.values) == [value, 1]
    assert decimal_mark([text], ";").mark == mark


@pytest.mark.parametrize("text", ["-", "--", "1--", "1-2", "n/a", "1,2,345", "-\u2212"])
def test_what_is_no_number(text):
    assert not is_number(text)
    assert np.isnan(read_numbers(pd.Series([text]), ".").values[0])
