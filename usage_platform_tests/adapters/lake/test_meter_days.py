"""A meter's rows by day are the table's, and only days that changed are read."""

from datetime import date

import pandas as pd
import pytest
from deltalake import DeltaTable

from usage_platform.adapters.lake.meter_days import MeterDays
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, Lake

DAYS = [date(2024, 3, 4), date(2024, 3, 5), date(2024, 3, 7)]


def write(lake: Lake, write_table, day: date, value: float, meter: str = "m") -> None:
    at = pd.DatetimeIndex([f"{day}T13:05:00Z"]).as_unit("ns")
    frame = pd.DataFrame({"meter": meter, "event_time": at, "event_date": day, "value": value})
    write_table(lake, READINGS, frame)


@pytest.fixture
def reader(lake, write_table) -> LakeReader:
    for number, day in enumerate(DAYS):
        write(lake, write_table, day, float(number))
    return LakeReader(lake)


@pytest.fixture
def days(reader) -> MeterDays:
    return MeterDays(reader, READINGS, ["event_time", "value"], "m")


def follow(days: MeterDays, reader: LakeReader, first: int = 0, last: int = 2) -> list[date]:
    return days.follow(reader.day_files(READINGS), DAYS[first], DAYS[last])


def values(days: MeterDays) -> list[float]:
    return days.rows()["value"].tolist()


def test_days_are_read_once_and_only_those_of_the_span(days, reader):
    assert follow(days, reader, 0, 1) == DAYS[:2]
    assert values(days) == [0.0, 1.0]
    assert follow(days, reader, 0, 1) == []
    assert follow(days, reader) == [DAYS[2]]
    assert values(days) == [0.0, 1.0, 2.0]


def test_days_before_the_span_are_let_go_and_say_nothing_of_those_that_stay(days, reader):
    follow(days, reader)
    assert follow(days, reader, 1) == []
    assert values(days) == [1.0, 2.0]


def test_another_meters_rows_change_nothing_that_is_held(lake, write_table, days, reader):
    follow(days, reader)
    write(lake, write_table, DAYS[1], 9.0, "other")
    assert follow(days, reader) == [DAYS[1]]
    assert values(days) == [0.0, 1.0, 2.0]


def test_what_was_deleted_from_the_lake_is_held_no_more(lake, days, reader):
    follow(days, reader)
    DeltaTable(lake.table(READINGS)).delete("value = 1.0")
    assert follow(days, reader) == [DAYS[1]]
    assert values(days) == [0.0, 2.0]
