"""Instants of readings without a gap, as a part of one array that all meters share.

Belongs here: which instants are such. Not here: the readings (`series`).

A meter's readings of weeks have eight bytes for each instant and eight for each value. Of readings
one interval after the other, the instants are the same for all meters of that interval.
"""

from functools import lru_cache

import numpy as np

from usage_platform.core.arrays import Ints
from usage_platform.core.time.units import NS_A_DAY, NS_A_MINUTE

_BLOCK = 64 * NS_A_DAY
_LEAST = 288
"""Fewer instants are not worth a look."""

_LEAST_STEP = NS_A_MINUTE  # the shortest interval; of seconds, an array would have millions
_KEPT_BLOCKS = 16


def shared_instants(instants: Ints) -> Ints:
    """The same instants, shared where each is one step after the one before.

    Args:
        instants: int64, shape (n,): ns since 1970 UTC, ascending, each once.

    Returns:
        A read-only part of a shared array; or what was given, where there are gaps, or readings of
        more than 64 days.
    """
    size = len(instants)
    if size < _LEAST:
        return instants
    first, step = int(instants[0]), int(instants[1] - instants[0])
    span = step * (size - 1)
    if not _LEAST_STEP <= step <= span <= _BLOCK:
        return instants
    if instants[-1] - first != span or (np.diff(instants) != step).any():
        return instants
    begin = first // _BLOCK * _BLOCK
    phase = (first - begin) % step
    at = (first - begin - phase) // step
    return _steps(begin + phase, step)[at : at + size]


@lru_cache(maxsize=_KEPT_BLOCKS)
def _steps(first: int, step: int) -> Ints:
    """Instants of twice the longest time that is shared, which may begin in the first half."""
    instants = np.arange(first, first + 2 * _BLOCK, step)
    instants.flags.writeable = False
    return instants
