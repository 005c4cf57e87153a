"""The newest reading of meters by `usage_hourly`, and what their hours are: length, beginning.

Belongs here: adding up the hours of many meters as they are read. Not here: what follows from them
(`usage_events`, `written_intervals`, `former_hours`).
"""

from collections.abc import Collection
from datetime import date

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from usage_platform.adapters.lake.day_filters import between
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.row_filters import of_meters
from usage_platform.adapters.lake.tables import USAGE_HOURLY

_KEYS = ["meter", "expected_n", "unit", "minute"]
_NEWEST = "last_reading"
_SUMS = [("first_start", "min"), ("last_start", "max"), (_NEWEST, "max")]
_TIMES = [name for name, _ in _SUMS]


def newest_hours(
    reader: LakeReader, meters: Collection[str], first: date | None, last: date | None = None
) -> pd.DataFrame:
    """Add up the hours of some meters and days; no hour stays in memory.

    Args:
        reader: The lake's tables.
        meters: Names of the meters.
        first: The first UTC day; None for all before.
        last: The last UTC day, inclusive; None for all after.

    Returns:
        `meter`, `expected_n`, `unit`, `minute`, `first_start`, `last_start`, `last_reading`: of
        each meter, each number of readings that an hour of its expects, each unit and each minute
        of UTC's clock at which one begins, with the first and the last of these hours and their
        newest reading (datetime64[ns, UTC]).

    Raises:
        LakeError: When the table does not exist yet, or cannot be read.
    """
    days, chosen = between(USAGE_HOURLY, first, last), of_meters(meters)
    batches = reader.scan(
        USAGE_HOURLY, ["meter", "expected_n", "unit", "start", _NEWEST], days, chosen
    )
    sums = [_summed(_of_batch(batch)) for batch in batches if batch.num_rows]
    types = dict.fromkeys(_TIMES, "datetime64[ns, UTC]")
    if not sums:
        none = pd.DataFrame(columns=[*_KEYS, *_TIMES])
        return none.astype({"expected_n": "int64", "unit": "object", "minute": "int64"} | types)
    return _summed(pa.concat_tables(sums)).to_pandas().astype(types)


def _of_batch(batch: pa.RecordBatch) -> pa.Table:
    start = batch["start"]
    columns = [
        batch["meter"],
        batch["expected_n"],
        batch["unit"],
        pc.call_function("minute", [start]),
        start,
        start,
        batch[_NEWEST],
    ]
    return pa.table(columns, names=[*_KEYS, *_TIMES])


def _summed(hours: pa.Table) -> pa.Table:
    return hours.group_by(_KEYS).aggregate(_SUMS).rename_columns([*_KEYS, *_TIMES])
