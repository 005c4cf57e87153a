"""Which columns and rows of a table are found to hold times and values."""

import re
from datetime import datetime, timedelta

import pytest

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.core.measurement import Unit
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import SourceError

METER = Meter("m", "Asia/Kathmandu", 60)


@pytest.fixture
def read(tmp_path):
    def read(*lines, **options):
        path = tmp_path / "f.csv"
        path.write_text("\n".join(lines) + "\n")
        source = CsvSource((path,), METER, options=FileOptions(**options))
        readings = source.load(lambda _done, _total: None)
        local = readings.frame["ts"].dt.tz_convert(METER.timezone)
        return [
            (row.meter, f"{at:%m-%d %H:%M}", row.value)
            for row, at in zip(readings.frame.itertuples(), local, strict=True)
        ]

    return read


HOURS = ["2024-01-13 00:00", "2024-01-13 01:00", "2024-01-13 02:00"]
READ = [("m", "01-13 00:00", 0.5), ("m", "01-13 01:00", 2.5), ("m", "01-13 02:00", 0.5)]
VALUES = [0.5, 2.5, 0.5]


def of_meter(name):
    return [(name, *rest) for _, *rest in READ]


@pytest.mark.parametrize("number", ["1012345678901", "1012345678"])
@pytest.mark.parametrize("name", ["MPAN", "Meter number"])
def test_the_number_of_a_meter_is_no_time(read, name, number):
    lines = [f"{number},{at[:10]},{at[11:]},{v}" for at, v in zip(HOURS, VALUES, strict=True)]
    assert read(f"{name},date,time,kw", *lines) == of_meter(number)


def test_the_number_of_a_contract_is_no_time(read):
    lines = [f"1012345678,{at},{v}" for at, v in zip(HOURS, VALUES, strict=True)]
    assert read("Contract,ts,kw", *lines) == READ


def test_the_number_of_a_meter_is_no_time_beside_intervals_of_the_day(read):
    hours = ",".join(f"{hour}:00" for hour in range(24))
    rows = ["1012345678901,2024-01-13," + ",".join(["1.5"] * 24)]
    rows += ["1012345678902,2024-01-13," + ",".join(["2.5"] * 24)]
    found = read(f"MPAN,date,{hours}", *rows, unit=Unit.KW)
    assert len(found) == 48
    assert set(found[:2]) == {
        ("1012345678901", "01-13 00:00", 1.5),
        ("1012345678902", "01-13 00:00", 2.5),
    }


def test_the_time_of_a_revision_is_not_that_of_the_row(read):
    lines = [
        f"2024-02-01 05:00,{at[:10]},{at[11:]},{v}" for at, v in zip(HOURS, VALUES, strict=True)
    ]
    assert read("revised,date,start time,kw", *lines) == READ


def test_the_ends_of_a_query_are_not_those_of_its_rows(read):
    lines = [
        f"2024-01-01 00:00,2024-02-01 00:00,{at},{v}" for at, v in zip(HOURS, VALUES, strict=True)
    ]
    assert read("start,stop,time,kw", *lines) == READ


@pytest.mark.parametrize("header", ["ts,W", "ts,kvarh", "ts,North,South"])
def test_another_header_between_rows_refuses_the_file(read, header):
    lines = [f"{at},{v}" for at, v in zip(HOURS, VALUES, strict=True)]
    shown = header.replace(",", ", ")
    with pytest.raises(SourceError, match=re.escape(f"f.csv:5: another header ({shown}) begins")):
        read("ts,kW", *lines, header, "2024-01-13 03:00,1000")


def test_minutes_stamped_at_the_end_keep_their_time(tmp_path):
    path = tmp_path / "f.csv"
    lines = [f"2024-01-13 00:{minute:02d},{minute}" for minute in range(1, 60)]
    path.write_text("\n".join(["interval end,kw", *lines, "2024-01-13 01:00,60"]) + "\n")
    source = CsvSource((path,), Meter("m", "UTC", 5))
    values = source.load(lambda _done, _total: None).frame["value"]
    assert list(values) == [3 + 5 * at for at in range(12)]


def test_thousands_between_tabs_may_be_fractions(read):
    lines = [f"{at}\t{v}" for at, v in zip(HOURS, ["1.000", "2.500", "987"], strict=True)]
    with pytest.raises(SourceError, match=r"'1\.000' may be a thousand .*--decimal"):
        read("ts\tW", *lines)
    assert read("ts\tW", *lines, decimal=",")[1] == ("m", "01-13 01:00", 2.5)


@pytest.mark.parametrize("name", ["HE", "Hour Ending"])
def test_numbered_ends_of_hours_are_ends(read, name):
    lines = [f"2024-01-13,{hour},{v}" for hour, v in zip((1, 2, 3), VALUES, strict=True)]
    assert read(f"Date,{name},kw", *lines) == READ


def test_flags_between_the_intervals_of_a_day_are_left_out(read):
    names = ",".join(f"kWh_{at},flag_{at}" for at in range(1, 25))
    cells = ",".join(f"{at % 5}.5,A" for at in range(24))
    found = read(f"date,{names}", f"2024-01-13,{cells}", unit=Unit.KWH)
    assert [value for _, _, value in found] == [at % 5 + 0.5 for at in range(24)]


def test_intervals_of_a_day_may_be_named_by_start_and_end(read):
    names = ",".join(f"{at}:00\uff5e{at + 1}:00" for at in range(24))
    assert len(read(f"date,{names}", "2024-01-13" + ",1.5" * 24, unit=Unit.KW)) == 24


def quarters(days, *, by_date_of_start):
    step = timedelta(minutes=15)
    ends = [datetime(2024, 1, 13) + (at + 1) * step for at in range(96 * days)]  # noqa: DTZ001
    dates = [end - step if by_date_of_start else end for end in ends]
    return [f"{a:%Y-%m-%d},{e:%H:%M},1.5" for a, e in zip(dates, ends, strict=True)]


@pytest.mark.parametrize("name", ["time", "until"])
@pytest.mark.parametrize("days", [1, 3])
def test_midnights_with_the_date_of_the_day_before_refuse_the_file(read, name, days):
    with pytest.raises(SourceError, match=r"f.csv:97: a time of 00:00 follows the last one of"):
        read(f"date,{name},kw", *quarters(days, by_date_of_start=True))


def test_midnights_with_their_own_date_are_read(read):
    assert len(read("date,until,kw", *quarters(3, by_date_of_start=False))) == 72


def test_meters_below_each_other_have_no_late_midnights(read):
    rows = [f"{m},2024-01-13 {h:02d}:00,{h + m}" for m in (1, 2) for h in range(24)]
    assert len(read("meter,ts,kw", *rows)) == 48
    assert len(read("ts,kw", *(f"{row[2:]}" for row in rows[:24] * 2))) == 24


@pytest.mark.parametrize("empty", ["", "0", "-"])
def test_a_day_of_25_hours_is_reported_and_the_others_are_read(tmp_path, empty):
    path = tmp_path / "f.csv"
    hours = [f"H{at}" for at in range(1, 26)]
    days = [f"2024-10-{26 + at}," + ",".join(["1.5"] * 24) for at in range(3)]
    days += [f"2024-11-0{at + 1}," + ",".join(["1.5"] * 24) for at in range(5)]
    lines = [",".join(["date", *hours]), *(f"{day},{2 if '-27' in day else empty}" for day in days)]
    path.write_text("\n".join(lines) + "\n")
    meter = Meter("m", "Europe/Madrid", 60)
    source = CsvSource((path,), meter, options=FileOptions(unit=Unit.KW))
    readings = source.load(lambda _done, _total: None)
    assert len(readings.frame) == 7 * 24
    assert [(row.row, row.field) for row in readings.bad_rows] == [(3, "H25")]


def test_the_number_of_a_table_is_no_meter(read):
    lines = [f"0,{at},{v}" for at, v in zip(HOURS, VALUES, strict=True)]
    assert read("table,_time,_value", *lines, unit=Unit.KW) == READ


def test_rows_of_one_time_are_read(read):
    assert read("meter,ts,kw", f"a,{HOURS[0]},1", f"b,{HOURS[0]},2") == [
        ("a", "01-13 00:00", 1),
        ("b", "01-13 00:00", 2),
    ]


def test_a_first_row_without_a_value_is_not_the_header(read):
    lines = [f"{at},{v}" for at, v in zip(HOURS, VALUES, strict=True)]
    assert read("A report of 2024-02-01", "ts,kw", "2024-01-12 23:00,n/a", *lines, *[
        f"2024-01-13 0{hour}:00,1" for hour in range(3, 9)
    ])[:3] == READ  # fmt: skip
