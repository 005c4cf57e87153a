"""Hourly sums of the parts of a group, by SQL in DuckDB.

Belongs here: the statement; what it returns is a row a sum and hour. Not here: which sums
(`services.group_stack`), sums of days (`fleet_sums`).
"""

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from usage_platform.adapters.lake.day_filters import between
from usage_platform.adapters.lake.fleet_sums import (
    DUE,
    THERE,
    SumMember,
    clock_table,
    members_table,
)
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.row_filters import of_meters
from usage_platform.adapters.lake.streamed_sql import connected, registered
from usage_platform.adapters.lake.tables import USAGE_HOURLY

_HOURS = {
    "meter": pa.string(),
    "start": pa.timestamp("us", "UTC"),
    "n": pa.int32(),
    "expected_n": pa.int32(),
    "energy_kwh": pa.float64(),
}
_COPY = "CREATE TEMP TABLE hours AS SELECT *, date_trunc('hour', start) AS slot FROM stream"
_BY_HOUR = """
SELECT d.sum AS sum, d.start AS start, CASE WHEN t.meters = d.meters THEN t.kwh END AS kwh
FROM due d LEFT JOIN there t ON t.sum = d.sum AND t.start = d.start
"""


def hourly_sums(
    reader: LakeReader, members: Sequence[SumMember], first: pd.Timestamp, end: pd.Timestamp
) -> pd.DataFrame:
    """Some sums in each hour of a span.

    Args:
        reader: The lake's tables.
        members: The meters of all sums.
        first: The first whole hour of UTC.
        end: The end of the last one.

    Returns:
        `sum`, `start`, `kwh`: a row a sum and hour of UTC in which it has a meter; `kwh` is that of
        the hours of the meters' clocks that begin in it, and NaN unless each of its meters has all
        of its readings.

    Raises:
        LakeError: When the table does not exist yet, or cannot be read.
    """
    names = sorted({member.meter for member in members})
    last = (end - pd.Timedelta(1, "ns")).date()
    days, chosen = between(USAGE_HOURLY, first.date(), last), of_meters(names)
    batches = reader.scan(USAGE_HOURLY, list(_HOURS), days, chosen)
    with connected(USAGE_HOURLY) as connection, registered(connection, batches, _HOURS):
        connection.execute(_COPY)
        connection.register("members", members_table(members))
        connection.register("clock", clock_table(first, end))
        for view in (DUE, THERE):
            connection.execute(view)
        return connection.sql(_BY_HOUR).to_arrow_table().to_pandas()
