"""The newest event of each meter is found in batches, each of which is looked at a few times."""

from datetime import date
from typing import Any, cast

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.adapters.lake import newest_events as module
from usage_platform.adapters.lake.newest_events import PLACE_COLUMNS, newest_events

DAY = date(2024, 3, 5)
EVENT = st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.integers(0, 2))


class Batches:
    """A table of given batches."""

    def __init__(self, frames):
        self._frames = frames

    def exists(self, table):
        return True

    def scan(self, table, columns, days):
        for frame in self._frames:
            yield pa.RecordBatch.from_pandas(frame.astype({"partition": "int32"}))


def events(rows, offset=0):
    """Rows of meter, minute and partition."""
    frame = pd.DataFrame(rows, columns=["meter", "minute", "partition"])
    minutes = pd.to_timedelta(frame["minute"].astype("int64"), unit="min")
    frame["kafka_time"] = (pd.Timestamp(DAY, tz="UTC") + minutes).dt.as_unit("us")
    frame = frame.astype({"partition": "int64"})
    return frame.assign(offset=range(offset, offset + len(frame)))[PLACE_COLUMNS]


def found(frames, more):
    rows = newest_events(cast("Any", Batches(frames)), DAY, more)
    return rows.sort_values("meter", ignore_index=True)


@pytest.mark.parametrize("gathered", [1, 1000])
@given(parts=st.lists(st.lists(EVENT, max_size=6), min_size=1, max_size=5))
def test_it_is_the_last_by_time_then_offset_with_its_partition(gathered, parts):
    frames = [events(rows, 10 * number) for number, rows in enumerate(parts)]
    by_time = pd.concat(frames).sort_values(["kafka_time", "offset"])
    wanted = by_time.drop_duplicates("meter", keep="last").sort_values("meter")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_GATHERED_ROWS", gathered)
        rows = found(frames[1:], frames[0])
    assert rows.to_dict("records") == wanted.to_dict("records")
    assert rows["kafka_time"].dtype == "datetime64[ns, UTC]"


def test_known_meters_are_not_sorted_again_for_each_batch(monkeypatch):
    sorted_rows, newest = [], module._newest

    def counted(rows):
        sorted_rows.append(len(rows))
        return newest(rows)

    monkeypatch.setattr(module, "_newest", counted)
    known = events([(f"m{number}", 0, 0) for number in range(500)])
    batches = [events([(f"m{number}", 1, 1)], number) for number in range(100)]
    assert found(batches, known)["partition"].sum() == 100
    assert sum(sorted_rows) <= 3 * (500 + 100)
