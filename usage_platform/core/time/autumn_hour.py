"""Which pass of the autumn hour, which local time has twice, a row of a file belongs to.

Belongs here: telling the passes apart by the order of rows. Not here: local time to UTC
(`local_time`).
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.arrays import Ints

Flags = npt.NDArray[np.bool_]
Times = npt.NDArray[np.datetime64]
_DAY = np.timedelta64(1, "D")


def first_pass(wall: Times, ambiguous: Flags, repeats: np.timedelta64, groups: Ints) -> Flags:
    """Which of the ambiguous times are in daylight-saving time, the first of the two passes.

    Rows of one group that follow each other without an unambiguous time in between are one run. In
    a run the first row with a time is of the first pass, and each further one with that time, or
    after a step back, is of the second. A file that is given twice has two runs and so no second
    pass; a file that goes on where the one before it ended is one run with it. Where most rows of
    a group come newest first, its rows are taken in reverse.

    Args:
        wall: datetime64[ns], n wall-clock times in the order of their files; without NaT.
        ambiguous: Which of them come twice.
        repeats: How much of local time comes twice, such as an hour.
        groups: For each row a number of its meter and file; rows of a group follow each other, and
            the files of one meter too. Numbers grow by 1 from file to file of a meter, and by more
            from meter to meter.

    Returns:
        For each ambiguous row, in order, whether it is of the first pass.
    """
    rows = np.flatnonzero(ambiguous)
    order = _oldest_first(wall, rows, groups)
    rows = rows[order]
    times = wall[rows]
    run = _runs(wall, rows, groups, repeats)
    frame = pd.DataFrame({"run": run, "time": times})
    back = np.append(False, np.diff(times) < np.timedelta64(0)) & np.append(
        False, np.diff(run) == 0
    )
    steps_back = pd.Series(back).groupby(run).cumsum().to_numpy()
    # Rows in no order at all step back often; then each time is told apart alone.
    in_order = pd.Series(back).groupby(run).transform("sum").to_numpy() <= 1
    seen = frame.groupby(["run", "time"]).cumcount().to_numpy()
    is_first = (seen == 0) & ~(in_order & (steps_back > 0))
    found = np.empty(len(rows), dtype=np.bool_)
    found[order] = is_first
    return found


def _oldest_first(wall: Times, rows: Ints, groups: Ints) -> Ints:
    """An order of the ambiguous rows in which each group's rows come oldest first."""
    order = np.arange(len(rows))
    for group in np.unique(groups[rows]):
        own = np.flatnonzero(groups[rows] == group)
        of_group = slice(
            int(np.searchsorted(groups, int(group))),
            int(np.searchsorted(groups, int(group), side="right")),
        )
        steps = np.diff(wall[of_group])
        if (steps < np.timedelta64(0)).sum() > (steps > np.timedelta64(0)).sum():
            order[own] = own[::-1]
    return order


def _runs(wall: Times, rows: Ints, groups: Ints, repeats: np.timedelta64) -> Ints:
    """The number of each ambiguous row's run."""
    if not len(rows):
        return np.empty(0, dtype=np.int64)
    group, times = groups[rows], wall[rows]
    apart = np.abs(np.diff(rows)) > 1
    new = (np.diff(group) != 0) | apart | (np.abs(np.diff(times)) > _DAY)
    before = np.maximum(rows - 1, 0)
    known = (rows > 0) & (groups[before] == group)
    step = np.where(known, times - wall[before], np.timedelta64("NaT"))[:-1]
    goes_on = (np.diff(group) == 1) & ~apart & (times[:-1] - times[1:] == repeats - step)
    return np.append(0, np.cumsum(new & ~goes_on)).astype(np.int64)
