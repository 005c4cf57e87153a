"""Midnights that are written with the date of the day that they end.

Belongs here: finding them by the order of a file's rows. Not here: the stamp (`meaning`).
"""

from collections.abc import Sequence

import numpy as np

from usage_platform.core.meter_files.findings import Uncertain
from usage_platform.core.meter_files.series import FileRows
from usage_platform.core.time.units import NS_A_DAY


def late_midnights(files: Sequence[FileRows]) -> list[Uncertain]:
    """A person must correct files of which each day ends with a row of 00:00 of its own date.

    Sorted by time such a row would be the first of the day that it ends. It follows the last row
    of that day, a step before it; the next row is a step into the next day.
    """
    for file in files:
        rows = file.rows
        if file.layout.has_interval_columns or len(rows.times) < 2:
            continue
        times = rows.times.astype("datetime64[ns]").astype(np.int64)
        steps = np.diff(times)
        same = rows.meters[1:] == rows.meters[:-1]
        # The step before a midnight and the one after it make two days.
        before = NS_A_DAY + steps
        is_fall = (steps < 0) & (before > 0) & (times[1:] % NS_A_DAY == 0) & same
        fits = np.append(steps[1:] == NS_A_DAY + before[:-1], True) | ~np.append(same[1:], False)
        late = np.flatnonzero(is_fall & fits & ~rows.is_instant[1:])
        # A meter whose rows are given twice falls too, but has the midnight of the next day.
        if len(late) and not _is_repeated(times, rows.meters, late):
            label, number = file.layout.label, rows.numbers[late[0] + 1]
            return [
                Uncertain(
                    "midnight",
                    "",
                    f"{label}:{number}: a time of 00:00 follows the last one of its own date, as "
                    "if it were the end of that day; write such times as 24:00, or with the next "
                    "date",
                )
            ]
    return []


def _is_repeated(times: np.ndarray, meters: np.ndarray, late: np.ndarray) -> bool:
    at = int(late[0]) + 1
    return bool(((times == times[at]) & (meters == meters[at])).sum() > 1)
