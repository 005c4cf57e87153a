"""The newest event of each meter in the table `readings`, and where on its topic it was.

Belongs here: finding it without holding the table. Not here: what follows from its partition
(`services.score_homes`).
"""

from datetime import date

import pandas as pd

from usage_platform.adapters.lake.day_filters import between
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS

PLACE_COLUMNS = ["meter", "kafka_time", "partition", "offset"]


def newest_events(reader: LakeReader, since: date, more: pd.DataFrame) -> pd.DataFrame:
    """Each meter's newest event by the broker's time; few rows are in memory at once.

    Args:
        reader: The lake's tables.
        since: Readings of earlier UTC days are left out.
        more: Further events, `PLACE_COLUMNS` and others.

    Returns:
        `PLACE_COLUMNS`, a row a meter.
    """
    newest = _newest(more[PLACE_COLUMNS])
    if reader.exists(READINGS):
        for batch in reader.scan(READINGS, PLACE_COLUMNS, between(READINGS, since, None)):
            rows = batch.to_pandas().astype({"kafka_time": "datetime64[ns, UTC]"})
            newest = _newest(pd.concat([newest, rows], ignore_index=True))
    return newest


def _newest(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values(["kafka_time", "offset"]).drop_duplicates("meter", keep="last")
