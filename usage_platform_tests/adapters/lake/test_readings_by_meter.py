"""Rows of all meters are divided among them, whatever number of them is divided at a time."""

from datetime import date
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.adapters.lake import readings_by_meter as module
from usage_platform.adapters.lake.readings_by_meter import readings_by_meter

DAY = date(2024, 3, 5)
START = pd.Timestamp(DAY, tz="UTC")
ROW = st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.booleans())


class Batches:
    """A table of given batches; what is asked for of it is noted."""

    def __init__(self, frames):
        self._frames = frames
        self.asked = []

    def scan(self, table, columns, days, chosen):
        self.asked.append((days, chosen))
        for frame in self._frames:
            yield pa.RecordBatch.from_pandas(frame[columns], preserve_index=False)


def batch(rows, first):
    """Rows of meter, minute and whether it counts, each with a value of its own."""
    frame = pd.DataFrame(rows, columns=["meter", "minute", "partition"])
    times = START + pd.to_timedelta(frame["minute"].astype("int64"), unit="min")
    values = np.arange(first, first + len(frame), dtype=float)
    return frame.assign(
        meter=frame["meter"].astype(object),
        event_time=times.dt.as_unit("us"),
        kafka_time=(times + pd.Timedelta("1h")).dt.as_unit("us"),
        value=values,
        partition=frame["partition"].astype("int32"),
        offset=np.arange(first, first + len(frame)),
    )


@pytest.mark.parametrize("at_once", [1, 3, 1000])
@given(parts=st.lists(st.lists(ROW, max_size=6), max_size=5))
def test_each_meter_comes_once_with_its_rows_in_their_order(at_once, parts):
    frames = [batch(rows, 10 * number) for number, rows in enumerate(parts)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ROWS_AT_ONCE", at_once)
        reader = cast("Any", Batches(frames))
        found = list(readings_by_meter(reader, DAY, None, lambda rows: rows["partition"] == 1))
    all_rows = pd.concat([batch([], 0), *frames])
    expected = all_rows[all_rows["partition"] == 1].groupby("meter")
    assert [meter for meter, _ in found] == list(expected.groups)
    for meter, own in found:
        rows = expected.get_group(meter)
        assert own.values.tolist() == rows["value"].tolist()
        minutes = [START.value + minute * 60 * 10**9 for minute in rows["minute"]]
        assert own.instants.tolist() == minutes
        assert own.arrived.tolist() == [instant + 3600 * 10**9 for instant in minutes]


def test_days_and_meters_are_chosen_by_the_table():
    reader = Batches([])
    assert not list(readings_by_meter(cast("Any", reader), DAY, ["a"], lambda rows: rows["value"]))
    ((days, chosen),) = reader.asked
    assert days == [("event_date", ">=", "2024-03-05")]
    assert str(chosen).startswith("is_in(meter")
