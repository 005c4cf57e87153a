import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

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


def test_no_cell_of_csv_is_a_formula_and_json_is_exact():
    rows = pa.table({"meter": ["=cmd|'/c calc'!A1"], "kw": [-1.5]})
    assert printed(rows, "csv").splitlines()[1] == "'=cmd|'/c calc'!A1,-1.5"
    assert json.loads(printed(rows, "json"))["meter"] == "=cmd|'/c calc'!A1"


def test_a_table_shows_escape_sequences_as_text():
    text = printed(pa.table({"\x1b[2J": ["\x1b]0;renamed\x07"], "bytes": [b"\x1b[2J"]}), "table")
    assert "\x1b" not in text
    assert "]0;renamed" in text


def test_a_long_text_is_cut_in_a_table_only():
    rows = pa.table({"a": ["x" * 10_000]})
    assert 100 < printed(rows, "table").count("x") < 1000
    assert printed(rows, "csv").count("x") == 10_000


_QUERY = """
import os, signal, sys, threading
from usage_platform.adapters.lake import reader
from usage_platform.console.cli import main
checked = reader.check_reads
def check(statements):
    checked(statements)
    if sys.argv[1] == "interrupted":
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
reader.check_reads = check
main(["--data", sys.argv[2], "query", sys.argv[3]])
"""
_ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range < b.range"


def _query(folder: Path, sql: str, how: str = "") -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-c", _QUERY, how, str(folder), sql)
    env = {key: value for key, value in os.environ.items() if not key.startswith("USAGE_")}
    return subprocess.run(
        command, env=env, capture_output=True, text=True, check=False, timeout=200
    )


def test_ctrl_c_prints_no_trace(tmp_path):
    done = _query(tmp_path, _ENDLESS, "interrupted")
    assert done.returncode == 1
    assert (done.stdout, done.stderr.strip()) == ("", "Aborted!")


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT repeat('x', 4000000000)",
        "SELECT list(range) FROM range(900000000)",
    ],
)
def test_a_query_that_needs_all_memory_is_one_line(tmp_path, sql):
    done = _query(tmp_path, sql)
    assert done.returncode == 1
    assert "query: more memory than it may have" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
