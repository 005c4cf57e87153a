"""Rows of text become readings, and every row is accounted for."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.meter_files.columns import Table
from usage_platform.core.meter_files.described_files import understand
from usage_platform.core.meter_files.dialect import Dialect
from usage_platform.core.meter_files.joined_rows import JoinedRows
from usage_platform.core.meter_files.layout import layout_of
from usage_platform.core.meter_files.options import CsvColumns, FileOptions
from usage_platform.core.meter_files.rows import read_block
from usage_platform.core.meter_files.series import FileRows
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import BadRow, MissingColumnError, SourceError

COLUMNS = CsvColumns(time="start", end="end", value="kw")
METER = Meter("library", "America/New_York", 5)
NAMES = ("start", "kw", "end")


def table_of(rows, *, file="f.csv", unsplit=()):
    """Typed rows of (start, value) or (start, value, end), in ISO times, from line 2 on."""
    width = len(rows[0])
    sample = [["2024-07-01 00:00:00", "1", "2024-07-01 00:05:00"][:width]]
    dialect = Dialect(",", 1, NAMES[:width], 2, rows=[["header"], *sample])
    columns = COLUMNS if width == 3 else CsvColumns("start", None, "kw")
    layout = layout_of(file, dialect, [], columns, FileOptions(decimal="."))
    block = read_block(layout, np.arange(2, len(rows) + 2), rows)
    joined = JoinedRows()
    joined.add(block)
    return FileRows(layout, joined.rows(unsplit))


def source(*rows, meter=METER):
    """The readings of rows of (start, value) or (start, value, end), from line 2 on."""
    found = understand([table_of(rows)], meter, FileOptions()).readings
    assert found.rows == len(rows)
    return found


def reason(*row, meter=METER):
    (bad,) = source(row, meter=meter).bad_rows
    return bad


def instants(found):
    return [f"{ts:%d %H:%M}" for ts in found.frame["ts"]]


def test_a_reading_has_its_meter_its_instant_and_its_value():
    frame = source(("2024-03-05 13:05:00", "871.2")).frame
    assert frame.to_dict("records") == [
        {"meter": "library", "ts": pd.Timestamp("2024-03-05 18:05", tz="UTC"), "value": 871.2}
    ]
    assert [str(t) for t in frame.dtypes] == ["object", "datetime64[ns, UTC]", "float64"]


@pytest.mark.parametrize(
    "start",
    [
        "2024-03-05 13:05",
        "2024-03-05T13:05:00",
        "2024-03-05T13:05:00.000",
        " 2024-03-05 13:05:00 ",
        "2024-03-05 18:05:00Z",
        "2024-03-05T13:05:00-05:00",
        "2024-03-05 23:05:00+0500",
        "2024-03-05T19:05+01",
    ],
)
def test_one_instant_may_be_written_in_many_ways(start):
    assert instants(source((start, "1"))) == ["05 18:05"]


def test_local_times_and_times_with_an_offset_may_stand_in_one_file():
    found = source(("2024-03-05 13:05:00", "1"), ("2024-03-05T13:10:00-05:00", "2"), ("x", "3"))
    assert instants(found) == ["05 18:05", "05 18:10"]
    assert [bad.row for bad in found.bad_rows] == [4]


@pytest.mark.parametrize(
    "start",
    [
        "",
        "noon",
        "2024-03-05",
        "2024",
        "1709640300",
        "2024-02-30 00:00:00",
        "2024-03-05 25:00",
        "3/5/2024 1:05 PM",
        "2024-03-05T13:05:00+99:00",
        "1677-09-21 00:15:00+10:00",
        "9999-01-01 00:00:00",
        "2038-01-01 00:00:00",
    ],
)
def test_a_row_whose_start_is_no_time_is_reported(start):
    bad = reason(start, "1")
    assert (bad.row, bad.field, bad.text) == (2, "start", start)
    assert "is not a time; expected YYYY-MM-DD HH:MM:SS" in bad.reason


def test_a_start_in_the_missing_spring_hour_is_reported_with_what_to_do():
    found = source(("2024-03-10 01:55:00", "1"), ("2024-03-10 02:30:00", "2"))
    assert instants(found) == ["10 06:55"]
    assert "does not exist in America/New_York" in found.bad_rows[0].reason
    assert "set its time zone to a fixed one" in found.bad_rows[0].reason


def test_the_autumn_hour_that_comes_twice_gives_two_hours_of_readings():
    clocks = [f"2024-11-03 01:{minute:02d}:00" for minute in range(0, 60, 5)]
    found = source(*[(clock, str(at)) for at, clock in enumerate(clocks * 2)])
    assert found.repeated_rows == 0
    assert list(found.frame["value"]) == list(range(24))
    assert list(found.frame["ts"].diff().dropna().unique()) == [pd.Timedelta(minutes=5)]


def test_a_third_row_of_an_autumn_time_repeats_the_second():
    found = source(*[("2024-11-03 01:30:00", value) for value in "123"])
    assert found.repeated_rows == 1
    assert list(found.frame["value"]) == [1, 3]


def test_a_bad_value_in_the_first_autumn_hour_leaves_the_second_where_it_is():
    found = source(("2024-11-03 01:30:00", "?"), ("2024-11-03 01:30:00", "2"))
    assert instants(found) == ["03 06:30"]


@pytest.mark.parametrize(
    ("start", "interval", "fits"),
    [
        ("2024-03-05 13:05:00", 5, True),
        ("2024-03-05 13:05:00", 15, False),
        ("2024-03-05 13:05:01", 5, False),
        ("2024-03-05 13:05:00.5", 5, False),
        ("2024-03-05 13:00:00", 60, True),
        ("2024-03-05 13:30:00", 60, False),
    ],
)
def test_a_start_must_be_on_the_grid_of_the_interval(start, interval, fits):
    found = source((start, "1"), meter=Meter("m", "America/New_York", interval))
    assert len(found.frame) == fits
    assert fits or "is not the start of an interval" in found.bad_rows[0].reason


def test_the_grid_is_that_of_the_wall_clock():
    hourly_in_india = Meter("m", "Asia/Kolkata", 60)
    found = source(("2024-03-05 13:00:00", "1"), meter=hourly_in_india)
    assert instants(found) == ["05 07:30"]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("abc", "is not a number"),
        ("nan", "is not a number"),
        ("inf", "is not a number"),
        ("1_000", "is not a number"),
        ("0x10", "is not a number"),
        ("٣", "is not a number"),
        ("1e999", "is too large"),
        ("-0.1", "is below 0"),
    ],
)
def test_a_row_without_a_usable_value_is_reported(value, told):
    bad = reason("2024-03-05 13:05:00", value)
    assert (bad.row, bad.field, bad.text) == (2, "kw", value)
    assert bad.reason.startswith(f"{told}; expected a power in kW")


@pytest.mark.parametrize("value", ["0", "518.4", " 518.4 ", "+1", ".5", "5.", "1E3", "1e-3"])
def test_numbers_are_read_exactly(value):
    assert source(("2024-03-05 13:05:00", value)).frame["value"][0] == float(value)


def test_a_row_with_several_faults_is_reported_once_by_the_first():
    assert reason("noon", "abc", "2024-03-05 13:10:00").field == "start"


@pytest.mark.parametrize(
    ("start", "end", "fits"),
    [
        ("2024-03-05 13:05:00", "2024-03-05 13:10:00", True),
        ("2024-03-05 13:05:00", "2024-03-05 18:10:00Z", True),
        ("2024-03-05 18:05:00Z", "2024-03-05 13:10:00", True),
        ("2024-03-05 13:05:00", "", True),
        ("2024-03-05 13:05:00", "2024-03-05 13:20:00", False),
        ("2024-03-05 13:05:00", "2024-03-05 13:05:00", False),
        ("2024-03-05 13:05:00", "2024-03-05 13:10:00Z", False),
        ("2024-03-10 01:55:00", "2024-03-10 03:00:00", True),
        ("2024-03-10 01:55:00", "2024-03-10 02:00:00", True),
        ("2024-11-03 01:55:00", "2024-11-03 01:00:00", True),
        ("2024-11-03 01:55:00", "2024-11-03 02:00:00", True),
        ("2024-11-03 00:55:00", "2024-11-03 01:00:00", True),
    ],
)
def test_an_end_that_can_be_read_must_be_one_interval_after_the_start(start, end, fits):
    found = source((start, "1", end))
    assert len(found.frame) == fits
    assert fits or (found.bad_rows[0].field, found.bad_rows[0].text) == ("end", end)


def test_of_repeated_rows_the_last_wins_and_the_others_are_counted():
    found = source(*[("2024-03-05 13:05:00", value) for value in "312"])
    assert list(found.frame["value"]) == [2]
    assert found.repeated_rows == 2


def test_of_two_files_the_last_wins_and_each_has_its_own_autumn_hour():
    day = [(f"2024-11-03 01:{minute:02d}:00", "1") for minute in range(0, 60, 5)]
    corrected = [("2024-11-03 01:55:00", "2")]
    files = [table_of(day), table_of(corrected)]
    found = understand(files, METER, FileOptions()).readings
    assert instants(found)[-1] == "03 05:55"
    assert list(found.frame["value"]) == [1.0] * 11 + [2.0]
    assert found.repeated_rows == 1


def test_rows_may_come_in_any_order():
    found = source(*[(f"2024-03-05 {hour}:00:00", hour) for hour in ("15", "13", "14")])
    assert list(found.frame["value"]) == [13, 14, 15]
    assert list(found.frame.index) == [0, 1, 2]


def test_rows_that_could_not_be_split_are_among_the_bad_rows_in_their_place():
    split = BadRow("f.csv", 3, "row", "x", "has 1 fields")
    table = table_of([("a", "1"), ("x", "x"), ("b", "2")], unsplit=[split])
    assert [bad.row for bad in table.rows.bad_rows] == [2, 3, 3, 4]


def test_a_bad_row_reads_as_one_line():
    bad = BadRow("f.csv", 17, "usage_kw", "abc", "is not a number; expected a power in kW")
    assert str(bad) == "f.csv:17: usage_kw: 'abc' is not a number; expected a power in kW"
    long = BadRow("f.csv", 17, "row", "a\nb" * 1000, "is odd")
    assert "\n" not in str(long)
    assert len(str(long)) < 150


def test_a_missing_column_is_told_with_the_columns_there_are():
    with pytest.raises(MissingColumnError, match=r"f: no column 'kw' for the value; .* ts, power;"):
        Table("f", ("ts", "power"), []).position("kw", "value")


def test_a_column_that_occurs_twice_is_refused():
    with pytest.raises(SourceError, match="f: column 'kw' occurs 2 times"):
        Table("f", ("start", "kw", "kw"), []).position("kw", "value")


@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.text(max_size=22),
                st.from_regex(r"\A20(24|37)-(03-10|11-03|07-01)[ T]0[0-3]:[0-5][05](:00)?(Z|-05)?"),
            ),
            st.one_of(st.text(max_size=6), st.floats().map(str), st.integers().map(str)),
            st.one_of(st.just(""), st.just("2024-11-03 01:05:00"), st.text(max_size=5)),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_every_row_is_counted_exactly_once_whatever_it_says(rows):
    found = source(*rows)
    assert found.rows == len(rows)
    assert len({bad.row for bad in found.bad_rows}) == len(found.bad_rows)
    assert not found.frame.duplicated(["meter", "ts"]).any()
    assert not found.frame.isna().any(axis=None)
    assert (np.isfinite(found.frame["value"]) & (found.frame["value"] >= 0)).all()
    assert found.frame["ts"].is_monotonic_increasing
