"""What the readings of a source say of themselves: their order and stamp.

Belongs here: findings from all typed rows together. Not here: how far apart rows are (`row_steps`),
what the values measure (`quantity`), findings from names and texts (`layout`), and the conversion
(`readings`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Floats, Integers, Ints
from usage_platform.core.measurement import Stamp
from usage_platform.core.meter_files.findings import Uncertain
from usage_platform.core.meter_files.layout import Layout
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.time.units import NS_A_DAY, NS_A_MINUTE

EARLY_ENDS = (0, 10**9, NS_A_MINUTE)
"""How long before the end of an interval it may be written, in ns: its last second or minute."""


@dataclass(frozen=True, eq=False)
class Ordered:
    """Rows of all meters, by meter and instant, each (meter, instant) once; arrays of n.

    Attributes:
        meters: int32 or int64.
        instants: int64, ns since 1970 UTC, as stamped.
        values: float64, as written.
    """

    meters: Integers
    instants: Ints
    values: Floats

    @cached_property
    def gaps(self) -> Ints:
        """Time to the next row of the same meter in ns; 0 at a meter's last row."""
        gaps = np.zeros(len(self.meters), dtype=np.int64)
        np.subtract(self.instants[1:], self.instants[:-1], out=gaps[:-1])
        gaps[:-1][self.meters[1:] != self.meters[:-1]] = 0
        return gaps

    def taken(self, at: npt.NDArray[np.bool_]) -> "Ordered":
        """Some of the rows."""
        return Ordered(self.meters[at], self.instants[at], self.values[at])

    def of_each_meter(self) -> Iterator[tuple[int, slice]]:
        """Each meter that has rows, with their place."""
        ends = [*(np.flatnonzero(self.meters[1:] != self.meters[:-1]) + 1), len(self.meters)]
        for start, end in pairwise([0, *ends] if len(self.meters) else []):
            yield int(self.meters[start]), slice(int(start), int(end))


def stamp_of(
    label: str,
    local: tuple[int, int] | None,
    step: int,
    layouts: Sequence[Layout],
    ends_of_day: int,
    options: FileOptions,
) -> tuple[Stamp, list[Uncertain]]:
    """Which moment of its interval a row carries.

    The name of the column says it, or times written as 24:00. A file that begins one step after
    midnight and ends at midnight is probably stamped at the end: that is not certain.

    Args:
        label: What to call the files.
        local: The first and the last time on the wall clock, ns; None without a row.
        step: The usual step in ns; 0 where there is none.
        layouts: The layout of each file.
        ends_of_day: How many times are written as 24:00.
        options: What a person said.
    """
    if options.stamp is not None:
        return options.stamp, []
    named = {layout.stamp for layout in layouts}
    if len(named) == 1 and None not in named:
        return next(iter(stamp for stamp in named if stamp)), []
    if any(layout.has_interval_columns for layout in layouts) or local is None:
        return Stamp.START, []
    first, last = local
    begins_at_midnight = first % NS_A_DAY == 0
    if ends_of_day and not begins_at_midnight:
        return Stamp.END, []
    # The last minute or second of a day may stand for its end.
    is_midnight = -last % NS_A_DAY in EARLY_ENDS
    looks_like_end = step > 0 and first % NS_A_DAY == step and is_midnight
    if not ends_of_day and not (
        looks_like_end and last - first >= NS_A_DAY - step - max(EARLY_ENDS)
    ):
        return Stamp.START, []
    return Stamp.END, [
        Uncertain(
            "stamp",
            "--stamp end",
            f"{label}: its first time is {_clock(first)} and its last one midnight, as if it were "
            "stamped at the end of the interval; say so with --stamp end or --stamp start",
        )
    ]


def _clock(local: int) -> str:
    minutes = local % NS_A_DAY // NS_A_MINUTE
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
