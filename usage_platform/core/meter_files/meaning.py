"""What the readings of a source say of themselves: step and stamp.

Belongs here: findings from all typed rows together. Not here: what the values measure (`quantity`),
findings from names and texts (`layout`), and the conversion (`readings`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from usage_platform.core.arrays import Floats, Integers, Ints
from usage_platform.core.measurement import Stamp
from usage_platform.core.meter_files.findings import Uncertain
from usage_platform.core.meter_files.layout import Layout
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meters import INTERVALS, Meter
from usage_platform.core.time.units import NS_A_DAY, NS_A_MINUTE

FEWEST_GAPS = 2


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

    def of_each_meter(self) -> Iterator[tuple[int, slice]]:
        """Each meter that has rows, with their place."""
        ends = [*(np.flatnonzero(self.meters[1:] != self.meters[:-1]) + 1), len(self.meters)]
        for start, end in pairwise([0, *ends] if len(self.meters) else []):
            yield int(self.meters[start]), slice(int(start), int(end))


def steps(rows: Ordered, meter_count: int) -> tuple[Ints, Ints]:
    """Each meter's step in ns, and of how many gaps it is the median.

    Args:
        rows: The rows.
        meter_count: How many meters there are.

    Returns:
        The median time between two rows of each meter, 0 for one with a row; and how many times
        between two rows it has.
    """
    found, counts = np.zeros((2, meter_count), dtype=np.int64)
    for meter, place in rows.of_each_meter():
        gaps = rows.gaps[place]
        known = gaps[gaps > 0]
        counts[meter] = len(known)
        if len(known):
            middle = len(known) // 2
            is_between = meter_count > 1 and len(known) % 2 == 0
            places = [middle - 1, middle] if is_between else [middle]
            found[meter] = np.partition(known, places)[places].mean()
    return found, counts


def step_uncertain(
    label: str, found: Ints, gap_counts: Ints, names: Sequence[str], meter: Meter
) -> list[Uncertain]:
    """Meters whose rows are further apart than the interval; two rows do not make a step."""
    interval = meter.interval_minutes * NS_A_MINUTE
    coarse = np.flatnonzero((found > interval) & (gap_counts >= FEWEST_GAPS))
    if not len(coarse):
        return []
    step = int(found[coarse[0]])
    minutes = step / NS_A_MINUTE
    whose = f" of meter {names[coarse[0]]!r}" if len(names) > 1 else ""
    if minutes in INTERVALS:
        differ = len(set(found[found > 0].tolist())) > 1
        do = "play meters of another step by themselves" if differ else "say so"
        return [
            Uncertain(
                "interval",
                f"--interval {minutes:.0f}",
                f"{label}: rows{whose} are {minutes:.0f} minutes apart, the interval is "
                f"{meter.interval_minutes}; {do} with --interval {minutes:.0f}",
            )
        ]
    return [
        Uncertain(
            "interval",
            "--interval 60",
            f"{label}: rows{whose} are {minutes:,.10g} minutes apart; expected a step that divides "
            "an hour and is not longer than the interval (--interval); readings so far apart "
            "cannot be played",
        )
    ]


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
    looks_like_end = step > 0 and first % NS_A_DAY == step and last % NS_A_DAY == 0
    if not ends_of_day and not (looks_like_end and last - first >= NS_A_DAY - step):
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
