"""Days of a table in stretches whose rows fit into memory.

Belongs here: which days are read at once. Not here: reading them (`reader`).
"""

from collections.abc import Sequence
from datetime import date

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import LakeTable

Stretch = tuple[date, date]
"""The first and the last of some UTC days; no other day of the table lies between."""


def day_stretches(
    reader: LakeReader, table: LakeTable, days: Sequence[date], most_rows: int
) -> list[Stretch]:
    """Put days together as long as a table has few rows on them; no file is opened.

    Args:
        reader: The lake's tables.
        table: Whose rows are counted, by its log.
        days: UTC dates, ascending.
        most_rows: Rows of a stretch of more than one day.

    Returns:
        The stretches, ascending; all of the days and, of the table's days, no other.

    Raises:
        LakeError: When the table does not exist yet, or cannot be read.
    """
    files = reader.files(table)
    counts: dict[date, int] = {}
    for day, rows_of_file in zip(files["day"], files["rows"], strict=True):
        counts[day] = counts.get(day, 0) + rows_of_file
    place = {day: at for at, day in enumerate(sorted({*counts, *days}))}
    stretches: list[Stretch] = []
    rows = 0
    for day in days:
        rows += counts.get(day, 0)
        if stretches and place[day] == place[stretches[-1][1]] + 1 and rows <= most_rows:
            stretches[-1] = (stretches[-1][0], day)
        else:
            stretches.append((day, day))
            rows = counts.get(day, 0)
    return stretches
