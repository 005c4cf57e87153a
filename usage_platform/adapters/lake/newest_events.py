"""The newest event of each meter in the table `readings`, and where on its topic it was.

Belongs here: finding it without holding the table. Not here: what follows from its partition
(`services.score_homes`).
"""

from collections.abc import Iterator
from datetime import date

import pandas as pd
import pyarrow as pa

from usage_platform.adapters.lake.day_filters import between
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS

_PLACE = pa.schema(
    {
        "meter": pa.string(),
        "kafka_time": pa.timestamp("ns", "UTC"),
        "partition": pa.int64(),
        "offset": pa.int64(),
    }
)
PLACE_COLUMNS = list(_PLACE.names)
# So many rows are gathered before they are compared with those that are known.
_GATHERED_ROWS = 100_000


def newest_events(reader: LakeReader, since: date, more: pd.DataFrame) -> pd.DataFrame:
    """Each meter's newest event by the broker's time; few rows are in memory at once.

    Args:
        reader: The lake's tables.
        since: Readings of earlier UTC days are left out.
        more: Further events, `PLACE_COLUMNS` and others.

    Returns:
        `PLACE_COLUMNS`, a row a meter.
    """
    known = _newest(pa.Table.from_pandas(more[PLACE_COLUMNS], _PLACE, preserve_index=False))
    gathered: list[pa.Table] = []
    for events in _events(reader, since):
        gathered.append(_newest(events))
        # As many as are known: each event is then compared a few times, however many batches.
        if sum(part.num_rows for part in gathered) >= max(known.num_rows, _GATHERED_ROWS):
            known, gathered = _newest(pa.concat_tables([known, *gathered])), []
    return _newest(pa.concat_tables([known, *gathered])).to_pandas()


def _events(reader: LakeReader, since: date) -> Iterator[pa.Table]:
    if reader.exists(READINGS):
        for batch in reader.scan(READINGS, PLACE_COLUMNS, between(READINGS, since, None)):
            if batch.num_rows:
                yield pa.table(batch).select(PLACE_COLUMNS).cast(_PLACE)


def _newest(events: pa.Table) -> pa.Table:
    """Of each meter the last row by time, then offset."""
    ordered = events.sort_by([("kafka_time", "ascending"), ("offset", "ascending")])
    values = PLACE_COLUMNS[1:]
    # With several threads there is no last row.
    groups = ordered.group_by("meter", use_threads=False)
    last = groups.aggregate([(name, "last") for name in values])
    return last.rename_columns(["meter", *values])
