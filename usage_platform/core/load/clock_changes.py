"""What a building's wall clock shows: its offset from UTC, and when that changes.

Belongs here: the changes within a span, so that a browser of any zone and any age of its own
tables draws the building's time. Not here: turning local times into instants (`local_time`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_HOUR = 3600


@dataclass(frozen=True)
class Offset:
    """From an instant on, until the next one.

    Attributes:
        start: Seconds since 1970 UTC.
        minutes: What the wall clock is ahead of UTC.
        name: What people call it, such as EST.
    """

    start: int
    minutes: int
    name: str


def offsets_between(zone: ZoneInfo, start: int, end: int) -> list[Offset]:
    """The offsets that apply from one instant to another, in their order; at least one.

    Args:
        zone: The building's zone.
        start: Seconds since 1970 UTC; the first offset is told from here on.
        end: The same, exclusive.
    """
    found = [_at(zone, start)]
    day = start
    while day < end:
        after = min(day + 24 * _HOUR, end)
        if _at(zone, after).minutes != found[-1].minutes or _at(zone, after).name != found[-1].name:
            found.append(_first_after(zone, day, after))
        day = after
    return [offset for offset in found if offset.start < end or offset is found[0]]


def _at(zone: ZoneInfo, instant: int) -> Offset:
    local = datetime.fromtimestamp(instant, UTC).astimezone(zone)
    offset = local.utcoffset()
    minutes = 0 if offset is None else int(offset.total_seconds()) // 60
    return Offset(instant, minutes, local.tzname() or "")


def _first_after(zone: ZoneInfo, before: int, after: int) -> Offset:
    """Where the offset of `after` begins, between two instants."""
    aim = _at(zone, after)
    while after - before > 1:
        middle = (before + after) // 2
        there = _at(zone, middle)
        if (there.minutes, there.name) == (aim.minutes, aim.name):
            after = middle
        else:
            before = middle
    return _at(zone, after)
