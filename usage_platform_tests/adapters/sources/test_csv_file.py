"""CSV files, plain and gzip, as people have them."""

import gzip

import pandas as pd
import pytest

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.core.limits import EventLimits
from usage_platform.core.measurement import Quantity, Sign
from usage_platform.core.meter_files.options import CsvColumns, FileOptions
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import SourceError

HEADER = "usage_datetime_start_eastern_time,usage_datetime_end_eastern_time,usage_kw"
FIRST = "2024-03-05 00:00:00,2024-03-05 00:05:00,518.4"
SECOND = "2024-03-05 00:05:00,2024-03-05 00:10:00,511.2"
THIRD = "2024-03-05 00:10:00,2024-03-05 00:15:00,496.8"


def quiet(_done, _total):
    pass


@pytest.fixture
def load(tmp_path):
    def load(*lines, content=None, name="f.csv", columns=CsvColumns(), options=FileOptions()):  # noqa: B008
        path = tmp_path / name
        path.write_bytes("\n".join(lines).encode() if content is None else content)
        return CsvSource((path,), columns=columns, options=options).load(quiet)

    return load


def told(found):
    return [(bad.row, bad.field) for bad in found.bad_rows]


def test_each_row_becomes_a_reading(load):
    found = load(HEADER, FIRST, SECOND)
    assert list(found.frame["value"]) == [518.4, 511.2]
    assert list(found.frame["ts"]) == [
        pd.Timestamp("2024-03-05 05:00", tz="UTC"),
        pd.Timestamp("2024-03-05 05:05", tz="UTC"),
    ]
    assert found.meters == (Meter(),)
    assert (found.rows, found.bad_rows, found.repeated_rows) == (2, (), 0)


@pytest.mark.parametrize("is_last", [True, False])
def test_a_value_below_0_takes_the_place_of_no_reading_of_its_time(load, is_last):
    bad = FIRST.replace("518.4", "-3.5")
    rows = [FIRST, SECOND, THIRD, bad] if is_last else [bad, FIRST, SECOND, THIRD]
    found = load(HEADER, *rows, options=FileOptions(allow_bad_rows=True))
    assert list(found.frame["value"]) == [518.4, 511.2, 496.8]
    assert told(found) == [(5 if is_last else 2, "usage_kw")]


def test_a_byte_order_mark_windows_line_ends_and_a_last_line_end_are_fine(load):
    text = "\ufeff" + "\r\n".join([HEADER, FIRST, SECOND, ""])
    assert load(content=text.encode()).rows == 2


def test_a_name_ending_in_gz_is_read_as_gzip(load):
    content = gzip.compress("\n".join([HEADER, FIRST]).encode())
    assert load(content=content, name="f.csv.gz").rows == 1


def test_rows_keep_their_line_numbers_past_empty_long_and_short_lines(load):
    found = load(
        HEADER,
        "",
        FIRST,
        "   ",
        SECOND + ",1",
        "2024-03-05 00:05:00",
        SECOND.replace("511.2", "abc"),
        THIRD,
        ",,",
    )
    assert told(found) == [(5, "row"), (6, "row"), (7, "usage_kw"), (9, HEADER.split(",")[0])]
    assert found.bad_rows[0].reason == "has 4 fields; expected 3, as in the header"
    assert (found.rows, len(found.frame)) == (6, 2)


def test_empty_lines_before_the_header_count_as_lines(load):
    assert told(load("", "", HEADER, FIRST, "x,,1"))[0][0] == 5


def test_a_thousands_separator_is_read_where_it_is_quoted(load):
    found = load(HEADER, FIRST.replace("518.4", "1,180.8"), SECOND.replace("511.2", '"1,180.8"'))
    assert told(found) == [(2, "row")]
    assert list(found.frame["value"]) == [1180.8]


def test_quoted_fields_are_read(load):
    found = load(HEADER.replace("usage_kw", '"usage_kw","a,""note"""'), FIRST + ',"x, ""y"""')
    assert list(found.frame["value"]) == [518.4]


@pytest.mark.parametrize("stray", ['"511.2', '511.2","', '"511.2"x'])
def test_a_stray_quote_costs_its_own_row_only(load, stray):
    found = load(HEADER, FIRST, SECOND.replace("511.2", stray), THIRD)
    assert told(found) == [(3, "row")]
    assert "quotes that do not pair" in found.bad_rows[0].reason
    assert len(found.frame) == 2


def test_a_byte_that_is_no_utf8_costs_its_own_row_only(load):
    content = "\n".join([HEADER, FIRST, SECOND, THIRD]).encode().replace(b"511.2", b"5\xff1.2")
    found = load(content=content)
    assert told(found) == [(3, "usage_kw")]
    assert len(found.frame) == 2


def test_zero_bytes_cost_their_own_row_only(load):
    found = load(HEADER, FIRST, SECOND.replace("511.2", "5\0"), THIRD)
    assert told(found) == [(3, "usage_kw")]


def test_line_numbers_go_on_past_the_lines_split_at_once(load, monkeypatch):
    monkeypatch.setattr("usage_platform.adapters.sources.row_reader._LINES_AT_ONCE", 2)
    found = load(HEADER, FIRST, "", SECOND, "short", "x,,1", THIRD)
    assert told(found) == [(5, "row"), (6, HEADER.split(",")[0])]
    assert len(found.frame) == 3


def test_other_columns_in_any_order_are_taken_by_name(load):
    found = load("kw,x,ts", "5,?,2024-03-05 00:00:00", columns=CsvColumns("ts", None, "kw"))
    assert list(found.frame["value"]) == [5]


def test_the_end_column_may_be_absent_and_is_checked_where_it_is_not(load):
    assert load("usage_datetime_start_eastern_time,usage_kw", "2024-03-05 00:00:00,5").rows == 1
    found = load(HEADER, FIRST.replace("00:05:00", "00:15:00"))
    assert told(found) == [(2, "usage_datetime_end_eastern_time")]


def test_of_several_files_the_last_wins_and_bad_rows_name_their_file(tmp_path):
    more = [f"2024-03-05 00:{minute:02d}:00,,3" for minute in range(10, 60, 5)]
    for name, value in (("a.csv", "1"), ("b.csv", "2")):
        rows = [HEADER, FIRST.replace("518.4", value), *more[: 9 * (name == "a.csv")]]
        rows += [row.replace(" 00:", " 01:") for row in more] * (name == "b.csv")
        (tmp_path / name).write_text("\n".join([*rows, "x,y,z"]))
    seen = []
    source = CsvSource((tmp_path / "a.csv", tmp_path / "b.csv"))
    found = source.load(lambda *told: seen.append(told))
    assert source.name == "csv a.csv, b.csv"
    assert list(found.frame["value"]) == [2, *[3] * 19]
    assert found.repeated_rows == 1
    assert [bad.file for bad in found.bad_rows] == ["a.csv", "b.csv"]
    assert seen[-1] == (23, 23)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "f.csv: empty"),
        (b"\n \n", "f.csv: empty"),
        (HEADER.encode(), "a header and no row"),
        (b"ts,kw\n2024-03-05,1\n", r"f.csv: column 'ts' holds dates without a time of day"),
        (b"a;b\n1;2\n", r"f.csv: no column holds times .* columns are a, b; set the time column"),
        (HEADER.encode("utf-16"), r"f\.csv: a header and no row"),
        (gzip.compress(HEADER.encode(), mtime=0), r"f\.csv: no text in UTF-8; expected a CSV file"),
        (b"\x00\x04" + bytes(range(256)) * 9, r"f\.csv: no text in UTF-8; expected a CSV file"),
        (b"PK\x03\x04" + bytes(range(256)) * 9, r"f\.csv: damaged zip"),
        (b"x" * 100_000 + b"\n1", r"the columns are x{399}…; set the time column"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(load, content, told):
    with pytest.raises(SourceError, match=told) as refused:
        load(content=content)
    assert "\n" not in str(refused.value)


def test_a_file_without_a_readable_row_is_refused_with_the_first_of_them(load):
    loaded = load(HEADER, SECOND.replace("511.2", "x"), SECOND.replace("511.2", "y"))
    with pytest.raises(SourceError) as refused:
        loaded.check_readable()
    assert str(refused.value).startswith("f.csv: none of 2 rows is a reading; first: f.csv:2: ")


def test_a_file_of_which_more_than_a_fifth_is_bad_is_refused_unless_it_is_allowed(load):
    rows = [f"2024-03-05 00:{minute:02d}:00,,{minute}" for minute in range(0, 60, 5)]
    rows[3], rows[4] = rows[3] + "x", rows[4] + "x"
    load(HEADER, *rows).check_readable()
    rows[5] += "x"
    with pytest.raises(
        SourceError, match=r"3 of 12 rows are bad, more .* first: f\.csv:5: .*-bad-"
    ):
        load(HEADER, *rows).check_readable()
    load(HEADER, *rows, options=FileOptions(allow_bad_rows=True)).check_readable()


def test_a_missing_file_is_refused_with_its_path(tmp_path):
    with pytest.raises(SourceError, match=r"gone\.csv: no such file \(.*gone\.csv\)"):
        CsvSource((tmp_path / "gone.csv",)).load(quiet)


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"is a folder; give its files, as '.*/\*\.csv'"):
        CsvSource((tmp_path,)).load(quiet)


def test_no_file_at_all_is_refused():
    with pytest.raises(SourceError, match="no file to read"):
        CsvSource(()).load(quiet)


@pytest.mark.parametrize("damage", [lambda gz: gz[:-20], lambda gz: b"kw" + gz[2:]])
def test_a_damaged_gzip_is_refused(load, damage):
    packed = gzip.compress("\n".join([HEADER] + [FIRST] * 1000).encode())
    with pytest.raises(SourceError, match=r"f\.csv\.gz: damaged gzip"):
        load(content=damage(packed), name="f.csv.gz")


def accepted(load, *rows, **options):
    found = load("ts,kw", *rows, options=FileOptions(**options))
    found.check_accepted(pd.Timestamp("2024-03-05 18:00", tz="UTC"), EventLimits())


def test_a_newest_reading_in_the_future_is_refused_with_the_option_for_the_time_zone(load):
    accepted(load, "2024-03-05 13:00:00,1", "2024-03-05 13:05:00,1")
    with pytest.raises(SourceError, match=r"18:10 UTC, in the future, .*New_York; .* --timezone"):
        accepted(load, "2024-03-05 13:05:00,1", "2024-03-05 13:10:00,1")


def test_readings_that_the_topic_would_reject_are_refused_before_they_are_played(load):
    with pytest.raises(SourceError, match=r"1999-12-31 12:00 UTC, before 2000-01-01"):
        accepted(load, "1999-12-31 07:00:00,1", "1999-12-31 07:05:00,1")


def test_the_topic_takes_export_of_a_source_that_is_net(load):
    rows = ("2024-03-05 07:00:00,-2", "2024-03-05 07:05:00,1")
    accepted(load, *rows, sign=Sign.NET)
    [meter] = load("ts,kw", *rows, options=FileOptions(sign=Sign.NET)).meters
    assert meter.is_net


def test_a_value_beyond_the_limit_of_the_topic_costs_its_row(load):
    rows = [f"2024-03-05 07:{minute:02d}:00,1" for minute in range(0, 60, 5)]
    found = load("ts,kw", *rows, "2024-03-05 08:00:00,4294967295")
    (bad,) = found.bad_rows
    assert (bad.row, "at most 100,000,000 kW" in bad.reason) == (14, True)


def test_two_values_for_one_meter_and_time_are_refused_with_both_lines(load):
    rows = ["2024-03-05 07:00:00,1", "2024-03-05 07:05:00,1", "2024-03-05 07:00:00,2"]
    with pytest.raises(SourceError, match=r"f\.csv:2: .* than f\.csv:4 \(2\); .*--meter-column"):
        load("ts,kw", *rows)


def test_an_end_column_that_is_not_there_and_ends_that_cannot_be_read_are_noticed(load):
    row = "2024-03-05 07:00:00,noon,1"
    with pytest.raises(SourceError, match=r"no column 'edn' for the end; .*--end-column"):
        load("ts,end,kw", row, columns=CsvColumns("ts", "edn", "kw"))
    assert told(load("ts,end,kw", row, columns=CsvColumns("ts", "end", "kw"))) == [(2, "end")]


def test_registers_report_roll_overs_and_resets(load):
    shows = [99_980.0, 99_990.0, 5.0, 15.0, 500.0, 3.0, 13.0]
    rows = [f"2024-03-05 07:{at * 5:02d}:00,{value}" for at, value in enumerate(shows)]
    options = FileOptions(quantity=Quantity.REGISTER)
    found = load("ts,total_kwh", *rows, options=options)
    assert list(found.frame["value"]) == [120, 180, 120, 485 * 12, 120]
    assert found.notes[1:] == (
        "f.csv:3: the register rolled over",
        "f.csv:6: the register was reset or replaced (no reading across it)",
    )


def test_a_register_that_shows_0_once_counts_nothing_from_0(load):
    shows = [1000.0, 1001.0, 0.0, 1002.0, 1003.0, 1004.0]
    rows = [f"2024-03-05 07:{at * 5:02d}:00,{value}" for at, value in enumerate(shows)]
    options = FileOptions(quantity=Quantity.REGISTER)
    found = load("ts,total_kwh", *rows, options=options)
    assert list(found.frame["value"]) == [12, 12, 12]
    assert found.notes[1:] == (
        "f.csv:4: the register shows less than before and after (the row is left out)",
        "f.csv:3: the register has a gap (no reading across it)",
    )
