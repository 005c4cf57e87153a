"""Rows in which a register shows less for a moment, such as 0 after its device has restarted.

Belongs here: telling such rows from a register that begins at 0 again, with all rows of a file, and
with the samples so far. Not here: what a register counted between its rows (`conversion`).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from usage_platform.core.meter_files.meaning import Ordered

Flags = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]

LONGEST_DIP = 12
"""Rows for which a register shows one value that is too low, at most."""

_LEAST_OF_FALLS = 0.5


def dips_of_register(rows: Ordered) -> Flags:
    """The rows in which a register shows less than before and after; bool, shape (n,).

    A dip is a fall, and a rise within `LONGEST_DIP` rows of one value, to what the register showed
    before or more. The register must have lost more in the fall than it has gained since: one that
    begins at 0 again, and counts much in its first step, has no dip. Nor has one of whose falls
    fewer than half are dips: it counts from 0 on each day, or each month.

    Args:
        rows: The rows; their values are finite.
    """
    is_dip = np.zeros(len(rows.values), dtype=np.bool_)
    falls, ends, returns = _falls(rows)
    fallen, positions = np.unique(rows.meters[falls], return_inverse=True)
    share = np.bincount(positions, returns, len(fallen)) / np.bincount(positions)
    returns = returns & (share >= _LEAST_OF_FALLS)[positions]
    for begin, end in zip(falls[returns].tolist(), ends[returns].tolist(), strict=True):
        is_dip[begin:end] = True
    return is_dip


def unknown_after_falls(rows: Ordered) -> Flags:
    """The rows up to which it is unknown what a register has counted; bool, shape (n,).

    Whether a fall is a dip shows later than readings are published. So what the register counted up
    to a row is unknown while it shows the value to which it fell, for `LONGEST_DIP` rows at most,
    and in the rise of a dip. It depends on no later row.

    Args:
        rows: The rows; their values are finite.
    """
    is_unknown = np.zeros(len(rows.values), dtype=np.bool_)
    for begin, end, is_dip in zip(*(one.tolist() for one in _falls(rows)), strict=True):
        is_unknown[begin + 1 : end + is_dip] = True
    return is_unknown


def before_fall(values: Sequence[float], at: int) -> int:
    """The row from which on all that follows a row can be checked by `unknown_after_falls`.

    It is the one before a fall to what the row shows, or the row itself.

    Args:
        values: What the register showed, by time.
        at: The position of the row.
    """
    first = at
    while 0 < first > at - LONGEST_DIP and values[first - 1] == values[at]:
        first -= 1
    return first - 1 if first > 0 and values[first - 1] > values[at] else at


def _falls(rows: Ordered) -> tuple[Positions, Positions, Flags]:
    """The falls of all registers.

    Returns:
        The first row of each; the first after it that shows another value, or the row
        `LONGEST_DIP` after it; and whether that one shows as much as before the fall.
    """
    meters, values = rows.meters, rows.values
    falls = 1 + np.flatnonzero((values[1:] < values[:-1]) & (meters[1:] == meters[:-1]))
    ends = falls.copy()
    for _ in range(LONGEST_DIP if len(falls) else 0):
        ends += _are_alike(rows, falls, ends)
    after = np.minimum(ends, len(values) - 1)
    lost, gained = values[falls - 1] - values[falls], values[after] - values[falls - 1]
    is_there = (ends < len(values)) & (meters[after] == meters[falls])
    return falls, ends, is_there & (gained >= 0) & (gained <= lost)


def _are_alike(rows: Ordered, first: Positions, other: Positions) -> Flags:
    """Whether rows, some of them beyond the last one, show what the first ones do."""
    inside = other < len(rows.values)
    at = np.minimum(other, len(rows.values) - 1)
    same = (rows.values[at] == rows.values[first]) & (rows.meters[at] == rows.meters[first])
    return inside & same
