"""Which columns and rows of a table are found to hold times and values."""

import re

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
