"""Long columns in portions, as many operations need several times the memory of what they read.

Belongs here: where columns are cut. Not here: what is done with the portions.
"""

from collections.abc import Iterator

import numpy as np

from usage_platform.core.arrays import Integers

ROWS = 1_000_000
"""How many rows a portion has, about."""


def portions(count: int) -> Iterator[slice]:
    """The places of `count` rows, `ROWS` at a time."""
    for start in range(0, count, ROWS):
        yield slice(start, min(start + ROWS, count))


def portions_of_groups(codes: Integers) -> Iterator[slice]:
    """The places of rows that are sorted by code, `ROWS` or more at a time.

    Args:
        codes: The code of each row; rows of one code are in one portion.
    """
    start = 0
    while start < len(codes):
        last = codes[min(start + ROWS, len(codes)) - 1]
        end = start + int(np.count_nonzero(codes[start:] <= last))
        yield slice(start, end)
        start = end
