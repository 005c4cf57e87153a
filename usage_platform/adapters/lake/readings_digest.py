"""A digest of readings, whatever files they are in.

Belongs here: digests of rows. Not here: which files there are (`reader.day_files`): comparing these
is cheaper, but they change when files are put together or a later reading comes.
"""

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from usage_platform.adapters.lake.day_filters import between
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS

_COLUMNS = ["meter", "event_time", "value"]


def readings_digest(reader: LakeReader, day: date, before: pd.Timestamp) -> str:
    """A digest of the readings of a UTC day before an instant; a few of them are in memory at once.

    Args:
        reader: The lake's tables.
        day: The day.
        before: The instant, UTC, exclusive.

    Returns:
        The same for the same readings in any order.

    Raises:
        LakeError: When the table does not exist yet, or cannot be read.
    """
    days, chosen = between(READINGS, day, day), pc.field("event_time") < pa.scalar(before)
    count = total = 0
    for batch in reader.scan(READINGS, _COLUMNS, days, chosen):
        hashes = pd.util.hash_pandas_object(batch.to_pandas(), index=False)
        count += len(hashes)
        total += int(hashes.to_numpy(np.uint64).sum())
    return f"{count} {total % 2**64}"
