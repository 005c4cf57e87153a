"""The part of `readings` that a micro-batch touches, read without Spark.

Belongs here: the readings of some hours, and whether some readings are there already. Only files of
the days in question are opened, and of these only the row groups of the times and meters.
"""

from collections.abc import Iterator
from functools import reduce
from operator import or_

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from usage_platform.adapters.lake.day_filters import DayFilter, on_days
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.row_filters import of_meters
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.meter_hours import hour_starts

_READING = {
    "meter": "object",
    "event_time": "datetime64[ns, UTC]",
    "value": "float64",
    "late": "bool",
}
# A frame costs some milliseconds however small it is, and a day has many small files.
_FRAME_ROWS = 50_000
_HOUR = pd.Timedelta(hours=1)
_AN_INSTANT = pd.Timedelta(1, "ns")
# More names are not worth a filter: most of the table's meters are among them.
_MOST_NAMES = 2_000
# The condition is evaluated for each file: with a term for each day, the cost of a long backlog
# would grow with the square of its days.
_MOST_SPANS = 10


def readings_of_hours(
    reader: LakeReader, hours: pd.DataFrame, registry: MeterRegistry
) -> pd.DataFrame:
    """All readings that are in the table of some hours of some meters.

    Args:
        reader: The lake's tables.
        hours: `meter`, `start` (datetime64[ns, UTC], of an hour of the meter's clock); distinct,
            at least one.
        registry: Gives each meter's time zone.

    Returns:
        `meter`, `event_time` (datetime64[ns, UTC]), `value` (kW), `late`.

    Raises:
        LakeError: When the table does not exist yet, or cannot be read.
    """
    wanted = pd.MultiIndex.from_frame(hours[["meter", "start"]])
    near = _near(hours["meter"], hours["start"], _HOUR)
    frames = _frames(reader.scan(READINGS, [*_READING], *near))
    # The other rows of the days go at once: with many meters and days they are far more.
    parts = [rows[_are_within(rows, wanted, registry)] for rows in frames]
    if not parts:
        return pd.DataFrame(columns=[*_READING]).astype(_READING)
    return pd.concat(parts, ignore_index=True)


def is_any_there(reader: LakeReader, readings: pd.DataFrame) -> bool:
    """Whether the table has a reading of one of these meters and times.

    Args:
        reader: The lake's tables.
        readings: `meter`, `event_time` (datetime64[ns, UTC]); at least one row.

    Raises:
        LakeError: When the table does not exist yet, or cannot be read.
    """
    keys = pd.MultiIndex.from_frame(readings[["meter", "event_time"]])
    near = _near(readings["meter"], readings["event_time"], pd.Timedelta(0))
    return any(
        pd.MultiIndex.from_frame(rows).isin(keys).any()
        for rows in _frames(reader.scan(READINGS, ["meter", "event_time"], *near))
    )


def _frames(batches: Iterator[pa.RecordBatch]) -> Iterator[pd.DataFrame]:
    """The rows of the batches, many small batches in one frame; no frame is empty."""
    some: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        some.append(batch)
        count += batch.num_rows
        if count >= _FRAME_ROWS:
            yield _frame(some)
            some, count = [], 0
    if count:
        yield _frame(some)


def _frame(batches: list[pa.RecordBatch]) -> pd.DataFrame:
    rows = pa.Table.from_batches(batches).to_pandas()
    return rows.astype({"event_time": "datetime64[ns, UTC]"})


def _are_within(rows: pd.DataFrame, hours: pd.MultiIndex, registry: MeterRegistry) -> np.ndarray:
    starts = hour_starts(rows["event_time"], rows["meter"], registry)
    return hours.get_indexer(pd.MultiIndex.from_arrays([rows["meter"], starts])) >= 0


def _near(
    meters: pd.Series, times: pd.Series, length: pd.Timedelta
) -> tuple[DayFilter, pc.Expression]:
    """What holds for all readings of the meters from each time on, and for few others."""
    spans = times.groupby(times.dt.date).agg(["min", "max"])
    ends = [(first, last + length) for _, first, last in spans.itertuples()]
    # An hour that is none of UTC's may reach into the next day.
    days = {*spans.index, *((last - _AN_INSTANT).date() for _, last in ends if length)}
    if len(ends) > _MOST_SPANS:
        ends = [(times.min(), times.max() + length)]
    chosen = reduce(or_, (_within(first, last) for first, last in ends))
    names = meters.unique().tolist()
    if len(names) <= _MOST_NAMES:
        chosen &= of_meters(names)
    return on_days(READINGS, days), chosen


def _within(first: pd.Timestamp, last: pd.Timestamp) -> pc.Expression:
    """What holds for the readings between two times, inclusive."""
    return (pc.field("event_time") >= _instant(first)) & (pc.field("event_time") <= _instant(last))


def _instant(ts: pd.Timestamp) -> pa.Scalar:
    return pa.scalar(ts.to_pydatetime(), pa.timestamp("us", "UTC"))
