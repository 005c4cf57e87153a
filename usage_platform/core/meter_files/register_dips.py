"""Rows in which a register shows less for a moment, such as 0 after its device has restarted.

Belongs here: telling such rows from a register that begins at 0 again. Not here: what a register
counted between its rows (`conversion`).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from usage_platform.core.meter_files.meaning import Ordered

Flags = npt.NDArray[np.bool_]

LONGEST_DIP = 12
"""Rows for which a register shows one value that is too low, at most."""

LEAST_OF_FALLS = 0.5
"""Of the falls of a register that is read by file, so many are dips, or none is: one that counts
from 0 on each day, or each month, may look so now and then."""


def dips_of_register(rows: Ordered, least_of_falls: float) -> Flags:
    """The rows in which a register shows less than before and after; bool, shape (n,).

    A dip is a fall, and a rise within `LONGEST_DIP` rows of one value, to what the register showed
    before or more. The register must have lost more in the fall than it has gained since: one that
    begins at 0 again, and counts much in its first step, has no dip.

    Args:
        rows: The rows; their values are finite.
        least_of_falls: The share of dips among a meter's falls below which it has none.
    """
    meters, values = rows.meters, rows.values
    is_dip = np.zeros(len(values), dtype=np.bool_)
    falls = 1 + np.flatnonzero((values[1:] < values[:-1]) & (meters[1:] == meters[:-1]))
    if not len(falls):
        return is_dip
    ends = falls.copy()
    for _ in range(LONGEST_DIP):
        ends += _are_alike(rows, falls, ends)
    returns = ends < len(values)
    after = np.minimum(ends, len(values) - 1)
    lost, gained = values[falls - 1] - values[falls], values[after] - values[falls - 1]
    returns &= (meters[after] == meters[falls]) & (gained >= 0) & (gained <= lost)
    fallen, positions = np.unique(meters[falls], return_inverse=True)
    share = np.bincount(positions, returns, len(fallen)) / np.bincount(positions)
    returns &= (share >= least_of_falls)[positions]
    for begin, end in zip(falls[returns].tolist(), ends[returns].tolist(), strict=True):
        is_dip[begin:end] = True
    return is_dip


def before_dip(values: Sequence[float], at: int) -> int:
    """The row from which on a row can be judged: the one before a fall to what it shows, or itself.

    Args:
        values: What the register showed, by time.
        at: The position of the row.
    """
    first = at
    while 0 < first > at - LONGEST_DIP and values[first - 1] == values[at]:
        first -= 1
    return first - 1 if first > 0 and values[first - 1] > values[at] else at


def _are_alike(rows: Ordered, first: npt.NDArray[np.intp], other: npt.NDArray[np.intp]) -> Flags:
    """Whether rows, some of them beyond the last one, show what the first ones do."""
    inside = other < len(rows.values)
    at = np.minimum(other, len(rows.values) - 1)
    same = (rows.values[at] == rows.values[first]) & (rows.meters[at] == rows.meters[first])
    return inside & same
