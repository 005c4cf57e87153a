"""No text of a CSV file is run by the spreadsheet that opens it."""

import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.services.spreadsheet_text import without_formulas

BEGINNINGS = list("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - the full-width forms are meant


@pytest.mark.parametrize("begin", BEGINNINGS)
@given(rest=st.text(st.characters(exclude_categories=["Cs"])))
def test_no_cell_and_no_heading_begins_as_a_formula(begin, rest):
    rows = pd.DataFrame({begin + rest: [begin + rest, "plain", None]})
    safe = without_formulas(rows)
    assert safe.columns[0] == f"'{begin}{rest}"
    assert safe.iloc[:, 0].tolist() == [f"'{begin}{rest}", "plain", None]


def test_numbers_times_and_missing_values_stay_what_they_are():
    rows = pd.DataFrame(
        {
            "kw": [-1.5, None],
            "n": [-1, 2],
            "at": pd.to_datetime(["2024-03-05", None], utc=True),
            "text": pd.Series(["=1+1", None], dtype="string"),
        }
    )
    safe = without_formulas(rows)
    pd.testing.assert_frame_equal(safe[["kw", "n", "at"]], rows[["kw", "n", "at"]])
    assert safe["text"][0] == "'=1+1"
    assert pd.isna(safe["text"][1])
    read = pd.read_csv(io.StringIO(safe.to_csv(index=False)))
    assert read["kw"][0] == -1.5
