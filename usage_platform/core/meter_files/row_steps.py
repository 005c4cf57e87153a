"""How far apart the rows of each meter are.

Belongs here: the step that rows show or a description says, and where both contradict the interval.
Not here: what else rows show (`meaning`).
"""

from collections.abc import Sequence

import numpy as np

from usage_platform.core.arrays import Ints
from usage_platform.core.meter_files.findings import Uncertain
from usage_platform.core.meter_files.meaning import Ordered
from usage_platform.core.meters import INTERVALS, Meter
from usage_platform.core.time.units import NS_A_MINUTE

_FEWEST_GAPS = 2


def steps(
    label: str, rows: Ordered, names: Sequence[str], meter: Meter, stated: int | None
) -> tuple[Ints, list[Uncertain]]:
    """Each meter's step, and what is uncertain of it.

    Args:
        label: What the first file is called.
        rows: The rows.
        names: The meters.
        meter: Gives the interval of the readings.
        stated: Minutes between rows, where a version of a description says them.

    Returns:
        The usual time between two rows of each meter in ns, 0 for one with a row; and what a person
        must correct.
    """
    found, counts = _median_gaps(rows, len(names))
    if stated is not None:
        meant = stated * NS_A_MINUTE
        return np.full_like(found, meant), _differing(label, found, counts, names, meant)
    interval = meter.interval_minutes * NS_A_MINUTE
    step = np.where((counts < _FEWEST_GAPS) & (found > interval), interval, found)
    return step, _coarser(label, found, counts, names, meter)


def _median_gaps(rows: Ordered, meter_count: int) -> tuple[Ints, Ints]:
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


def _coarser(
    label: str, found: Ints, gap_counts: Ints, names: Sequence[str], meter: Meter
) -> list[Uncertain]:
    """Meters whose rows are further apart than the interval; two rows do not make a step."""
    interval = meter.interval_minutes * NS_A_MINUTE
    coarse = np.flatnonzero((found > interval) & (gap_counts >= _FEWEST_GAPS))
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


def _differing(
    label: str, found: Ints, gap_counts: Ints, names: Sequence[str], meant: int
) -> list[Uncertain]:
    """A meter whose rows are not as far apart as a version says; `meant` is in ns."""
    others = np.flatnonzero((found != meant) & (gap_counts >= _FEWEST_GAPS))
    if not len(others):
        return []
    name, minutes = names[others[0]], found[others[0]] / NS_A_MINUTE
    return [
        Uncertain(
            "interval",
            "",
            f"{label}: rows of meter {name!r} are {minutes:,.10g} minutes apart, and "
            f"assets/meters.yaml says {meant // NS_A_MINUTE} of this version; correct its interval "
            "or its day",
        )
    ]
