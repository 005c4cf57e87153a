"""Hours that are counted from midnight, where the clocks change.

Belongs here: telling counted hours from hours of the clock, which are the same on every other day,
and refusing them. Not here: reading the numbers (`times`), the two autumn hours
(`core.time.local_time`).

A day on which the clocks go back has the counted hours 1 to 25, one on which they go forward 1 to
23: read as hours of the clock, all of them after the change were wrong by an hour.
"""

from collections.abc import Mapping

import numpy as np

from usage_platform.core.arrays import Ints
from usage_platform.core.meter_files.times import Flags, NumberedHours
from usage_platform.core.readings.source import SourceError
from usage_platform.core.time.day_numbers import day_of
from usage_platform.core.time.local_time import local_day_bounds

HoursOfDays = Mapping[str, Mapping[int, int]]
"""By meter and day (since 1970) the numbers of its hours, each as a bit."""

_USUAL_HOURS = 24


def hours_of_days(
    numbered: NumberedHours, has_value: Flags, meters: Ints, names: tuple[str, ...]
) -> HoursOfDays:
    """Which hours the days of each meter have.

    Args:
        numbered: The hours of n rows.
        has_value: bool, shape (n,): rows without a value do not count.
        meters: int64, shape (n,): positions in `names`.
        names: Meters as the file calls them.
    """
    at = np.flatnonzero(has_value & ~np.isnat(numbered.days))
    days = numbered.days[at].astype(np.int64)
    bits = np.left_shift(1, numbered.hours[at])
    order = np.lexsort((days, meters[at]))
    days, bits, codes = days[order], bits[order], meters[at][order]
    if not len(at):
        return {}
    begins = np.flatnonzero(np.diff(days, prepend=days[0] - 1) | np.diff(codes, prepend=codes[0]))
    joined = np.bitwise_or.reduceat(bits, begins)
    found: dict[str, dict[int, int]] = {}
    for code, day, mask in zip(codes[begins], days[begins], joined, strict=True):
        found.setdefault(names[int(code)], {})[int(day)] = int(mask)
    return found


def refuse_counted_hours(label: str, hours: HoursOfDays, timezone: str) -> None:
    """Refuse a file that counts the hours of a day on which the clocks change.

    Args:
        label: The file, for messages.
        hours: The hours of its days.
        timezone: The meters' IANA zone.

    Raises:
        SourceError: In one line, for the first such day.
    """
    days = {day for own in hours.values() for day in own}
    lengths = {day: _length(day, timezone) for day in sorted(days)}
    changing = {day: length for day, length in lengths.items() if length != _USUAL_HOURS}
    counted = (
        (day_of(day), length)
        for day, length in changing.items()
        if any(_counts(own.get(day, 0), length) for own in hours.values())
    )
    first = next(counted, None)
    if first is None:
        return
    day, length = first
    fixed = (
        "; if this meter's clock never changes, set its time zone to a fixed one such as "
        "Etc/GMT+5 (--timezone)"
    )
    raise SourceError(
        f"{label}: {day} has {length:.0f} hours that are counted from midnight, so that those "
        "after the change of the clocks are no times of day; write this day with times of day or "
        f"with an offset, or leave it out{fixed if length < _USUAL_HOURS else ''}"
    )


def _counts(mask: int, length: float) -> bool:
    """Whether hours are exactly those of the day, one after the other, from 0 or from 1 on."""
    if length != int(length):
        return False
    from_0 = (1 << int(length)) - 1
    return mask in (from_0, from_0 << 1)


def _length(day: int, timezone: str) -> float:
    start, end = local_day_bounds(day_of(day), timezone)
    return (end - start).total_seconds() / 3600
