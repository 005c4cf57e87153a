import tracemalloc
from datetime import date

import pandas as pd
import pyarrow as pa
import pytest

from usage_platform.adapters.lake import touched_readings
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.row_writer import append_rows
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.adapters.lake.touched_readings import is_any_there, readings_of_hours
from usage_platform.core.meters import MeterRegistry

START = pd.Timestamp("2024-01-01T00:30Z")
DAYS = 30
YEAR = pd.Timedelta(days=365)


@pytest.fixture
def reader(lake):
    """Two meters with a reading each half an hour, from half past midnight on."""
    create_tables(lake)
    times = pd.date_range(START, periods=48 * DAYS, freq="30min").astype("datetime64[ns, UTC]")
    rows = pd.concat(
        pd.DataFrame({"meter": name, "event_time": times, "value": value, "late": False})
        for name, value in (("hall", 1.0), ("roof", 2.0))
    )
    rows = rows.assign(event_date=rows["event_time"].dt.date, kafka_time=rows["event_time"])
    append_rows(lake, READINGS, rows)
    return LakeReader(lake)


def hours(meter, *starts):
    frame = pd.DataFrame({"meter": meter, "start": list(starts)})
    return frame.astype({"start": "datetime64[ns, UTC]"})


@pytest.mark.parametrize("count", [1, 3, 20])
def test_all_readings_of_the_hours_and_no_others_on_few_days_and_on_many(reader, count):
    starts = [pd.Timestamp("2024-01-02T05:00Z") + pd.Timedelta(days=day) for day in range(count)]
    found = readings_of_hours(reader, hours("hall", *starts), MeterRegistry())
    wanted = [start + pd.Timedelta(minutes=at) for start in starts for at in (0, 30)]
    assert sorted(found["event_time"]) == wanted
    assert set(found["meter"]) == {"hall"}
    assert list(found.columns) == ["meter", "event_time", "value", "late"]


def test_the_first_and_the_last_hour_of_many_days_are_whole(reader):
    starts = [pd.Timestamp(date(2024, 1, 1 + day), tz="UTC") for day in range(DAYS)]
    found = readings_of_hours(reader, hours("roof", *starts), MeterRegistry())
    assert len(found) == 2 * DAYS - 1


def test_hours_without_a_reading_give_an_empty_frame_of_the_same_types(reader):
    some = readings_of_hours(reader, hours("hall", START.floor("h")), MeterRegistry())
    for none in (hours("attic", START.floor("h")), hours("hall", START.floor("D"), START - YEAR)):
        none = none.assign(start=none["start"] - pd.Timedelta(hours=1))
        pd.testing.assert_frame_equal(readings_of_hours(reader, none, MeterRegistry()), some[:0])


@pytest.mark.parametrize("count", [2, 30])
def test_readings_of_other_hours_do_not_stay_in_memory(reader, monkeypatch, count):
    size = 20_000

    def scan(*args):
        for day in range(count):
            first = START.floor("D") + pd.Timedelta(days=day)
            times = pd.Series(pd.date_range(first, periods=size, freq="1s")).dt.as_unit("us")
            rows = {"meter": "hall", "event_time": times, "value": 1.0, "late": False}
            yield pa.RecordBatch.from_pandas(pd.DataFrame(rows))

    monkeypatch.setattr(reader, "scan", scan)
    monkeypatch.setattr(touched_readings, "_FRAME_ROWS", size)
    wanted = hours("hall", *(START.floor("D") + pd.Timedelta(days=day) for day in range(count)))
    readings_of_hours(reader, wanted, MeterRegistry())
    tracemalloc.start()
    found = readings_of_hours(reader, wanted, MeterRegistry())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == count * 3600
    of_batch, of_found = 150 * size, 3 * found.memory_usage().sum()
    assert peak < of_batch + of_found


@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize(("minute", "there"), [(30, True), (31, False)])
def test_whether_one_of_some_readings_is_there(reader, count, minute, there):
    days = [pd.Timestamp("2024-01-05T07:01Z") + pd.Timedelta(days=day) for day in range(count)]
    days[-1] = days[-1].floor("h") + pd.Timedelta(minutes=minute)
    frame = pd.DataFrame({"meter": "hall", "event_time": days})
    assert is_any_there(reader, frame.astype({"event_time": "datetime64[ns, UTC]"})) is there
