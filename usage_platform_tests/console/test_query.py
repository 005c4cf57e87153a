import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa

from usage_platform.console.query import printed

START = datetime(2024, 3, 10, 7, tzinfo=UTC)


def test_a_table_shows_large_and_small_numbers_with_ten_digits():
    text = printed(pa.table({"kwh": [1234567.891, 0.1 + 0.2]}), "table")
    assert "1234567.891" in text
    assert text.splitlines()[-2].strip() == "0.3"


def test_a_table_ends_with_the_number_of_its_rows():
    assert printed(pa.table({"n": list(range(1200))}), "table").endswith("(1,200 rows)")


def test_a_table_too_long_to_read_is_cut_and_says_so(monkeypatch):
    monkeypatch.setattr("usage_platform.console.query.MOST_SHOWN", 3)
    rows = pa.table({"n": [7] * 5})
    assert printed(rows, "table").count("7") == 3
    assert printed(rows, "table").endswith("(the first 3 of 5 rows; --format csv prints all)")
    assert printed(rows, "csv").count("7") == 5


def test_brackets_and_colons_of_a_name_are_no_markup():
    text = printed(pa.table({"meter": ["[bold]a[/b] :smile:"]}), "table")
    assert "[bold]a[/b] :smile:" in text


def test_two_columns_of_one_name_are_both_printed():
    joined = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["n", "n"])
    assert json.loads(printed(joined, "json")) == {"n": 1, "n_2": 2}
    assert printed(joined, "csv") == "n,n_2\n1,2"


def test_times_and_dates_are_iso_8601_in_each_form():
    rows = pa.table({"start": [START], "day": [date(2024, 3, 10)]})
    assert "2024-03-10T07:00:00+00:00" in printed(rows, "table")
    assert json.loads(printed(rows, "json")) == {
        "start": "2024-03-10T07:00:00+00:00",
        "day": "2024-03-10",
    }
    assert printed(rows, "csv").splitlines()[1] == "2024-03-10T07:00:00+0000,2024-03-10"


def test_a_sum_of_integers_is_a_number_in_json():
    rows = pa.table({"n": [Decimal(3)], "kw": [Decimal("1.5")]})
    assert json.loads(printed(rows, "json")) == {"n": 3, "kw": 1.5}


def test_an_integer_stays_one_in_csv_beside_a_missing_one():
    assert printed(pa.table({"n": pa.array([1, None])}), "csv").split("\n")[1] == "1"
