"""The newest reading of meters by `usage_hourly`, and how many readings their hours expect.

Belongs here: adding up the hours of many meters as they are read. Not here: what follows from them
(`usage_events`, `written_intervals`).
"""

from collections.abc import Collection
from datetime import date

import pandas as pd
import pyarrow as pa

from usage_platform.adapters.lake.day_filters import between
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.row_filters import of_meters
from usage_platform.adapters.lake.tables import USAGE_HOURLY

_KEYS = ["meter", "expected_n", "unit"]
_NEWEST = "last_reading"


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
        `meter`, `expected_n`, `unit`, `last_reading` (datetime64[ns, UTC]): of each meter, each
        number of readings that an hour of its expects and each unit, with the newest reading of
        these hours.

    Raises:
        LakeError: When the table does not exist yet, or cannot be read.
    """
    days, chosen = between(USAGE_HOURLY, first, last), of_meters(meters)
    batches = reader.scan(USAGE_HOURLY, [*_KEYS, _NEWEST], days, chosen)
    sums = [_newest(pa.table(batch)) for batch in batches if batch.num_rows]
    if not sums:
        return pd.DataFrame(columns=[*_KEYS, _NEWEST]).astype(
            {"expected_n": "int64", "unit": "object", _NEWEST: "datetime64[ns, UTC]"}
        )
    found = _newest(pa.concat_tables(sums)).to_pandas()
    return found.astype({_NEWEST: "datetime64[ns, UTC]"})


def _newest(hours: pa.Table) -> pa.Table:
    sums = hours.group_by(_KEYS).aggregate([(_NEWEST, "max")])
    return sums.rename_columns([*_KEYS, _NEWEST])
