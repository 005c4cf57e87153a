"""Hours that are counted from midnight, where the clocks change.

Belongs here: telling counted hours from hours of the clock, which are the same on every other day,
and refusing them. Not here: times with minutes, and the two autumn hours (`core.time.local_time`).

A day on which the clocks go back has the counted hours 1 to 25, one on which they go forward 1 to
23: read as hours of the clock, all of them after the change were wrong by an hour.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.meter_files.layout import Layout
from usage_platform.core.readings.source import SourceError
from usage_platform.core.time.units import NS_A_DAY, NS_AN_HOUR

_DAY = np.timedelta64(NS_A_DAY, "ns")
_HOUR = np.timedelta64(NS_AN_HOUR, "ns")
_ADVICE = (
    "its hours are counted from midnight, so that those after the change are no times of day; "
    "write this day with times of day or with an offset, or leave it out"
)


def refuse_hour_25(
    layout: Layout, numbers: Iterable[int], texts: pd.Series, is_unreadable: npt.NDArray[np.bool_]
) -> None:
    """Refuse a file that counts the hours of a day on which the clocks go back.

    Args:
        layout: The table's layout.
        numbers: The rows' numbers in their file.
        texts: Their times, as written.
        is_unreadable: Which of these are no times.

    Raises:
        SourceError: In one line, for the first 25th hour.
    """
    if not layout.form.has_hours_alone:
        return
    for number, text, fails in zip(numbers, texts, is_unreadable, strict=True):
        if fails and text.strip().endswith(" 25"):
            raise SourceError(
                f"{layout.label}:{number}: '{text.strip()}' is a 25th hour; {_ADVICE}"
            )


def refuse_short_day(
    layout: Layout,
    ends_with_24: bool,
    skipped: Iterable[np.datetime64],
    walls: npt.NDArray[np.datetime64],
) -> None:
    """Refuse a file that counts the hours of a day on which the clocks go forward.

    By the clock such a day lacks the hour that is skipped, and has the last one; counted, it is the
    other way round.

    Args:
        layout: The table's layout.
        ends_with_24: Whether its hours are 1 to 24; else they are 0 to 23.
        skipped: Its times that the clocks skip.
        walls: The times of all of its rows, on the wall clock.

    Raises:
        SourceError: In one line, for the first such day.
    """
    if not layout.form.has_hours_alone:
        return
    for wall in skipped:
        midnight = wall.astype("datetime64[D]").astype("datetime64[ns]")
        last = midnight + _DAY - (np.timedelta64(0) if ends_with_24 else _HOUR)
        if last not in walls:
            day = midnight.astype("datetime64[D]")
            raise SourceError(
                f"{layout.label}: {day} lacks its last hour and has the one that the clocks skip; "
                f"{_ADVICE}"
            )
