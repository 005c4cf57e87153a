"""The hours that a zone's own clock shows: each begins at xx:00 on that clock.

Belongs here: the rule by which instants fall into hours, for every zone and time. Not here: which
zone a meter has (`core.readings.meter_hours`), local days (`local_time`).

Where the clock is whole hours away from UTC, these are the hours of UTC. Elsewhere an hour begins
between them: in Kolkata, at UTC+05:30, at xx:30 UTC. A change by whole hours leaves the hours as
they are; one by a part of an hour, as each half-year on Lord Howe, ends an hour early, and the next
one begins at the change. So no hour is longer than 60 minutes, and all of them follow each other
without a gap.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from usage_platform.core.arrays import Ints
from usage_platform.core.time.units import NS_A_MINUTE, NS_AN_HOUR

_FIRST, _END = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
# No zone has had a distance of its own for less than some months.
_STEP = timedelta(days=28)
_ALWAYS, _NEVER = np.iinfo(np.int64).min, np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class ClockHours:
    """The hours of a zone.

    Attributes:
        changes: int64, shape (n + 1,), ascending, ns since 1970 UTC: from when on the clock is
            another part of an hour away from UTC; the ends of int64 before the first and after the
            last change.
        ahead: int64, shape (n,): that part, ns from 0 to less than an hour; 30 minutes in Kolkata.
    """

    changes: Ints
    ahead: Ints

    @property
    def are_utc(self) -> bool:
        """Whether all of its hours are those of UTC."""
        return not self.ahead.any()

    def starts(self, instants: Ints) -> Ints:
        """The start of the hour in which each instant lies.

        Args:
            instants: int64, any shape, ns since 1970 UTC.
        """
        at = self._position(instants)
        return np.maximum(instants - (instants + self.ahead[at]) % NS_AN_HOUR, self.changes[at])

    def ends(self, starts: Ints) -> Ints:
        """The end, exclusive, of each hour.

        Args:
            starts: As from `starts`.
        """
        at = self._position(starts)
        whole = starts + NS_AN_HOUR - (starts + self.ahead[at]) % NS_AN_HOUR
        return np.minimum(whole, self.changes[at + 1])

    def begin_in(self, utc_hours: Ints) -> Ints:
        """The start of the last hour that begins in each hour of UTC; there is one in each.

        Args:
            utc_hours: int64, any shape, ns since 1970 UTC: whole hours of UTC.
        """
        return self.starts(utc_hours + NS_AN_HOUR - 1)

    def expected_readings(self, starts: Ints, interval_minutes: Ints) -> Ints:
        """How many intervals begin in each hour, counted from xx:00 on the clock.

        Args:
            starts: As from `starts`.
            interval_minutes: int64, shape like `starts`: length of an interval.
        """
        interval = interval_minutes * NS_A_MINUTE
        first = (starts + self.ahead[self._position(starts)]) % NS_AN_HOUR
        end = first + self.ends(starts) - starts
        return -(-end // interval) + (-first // interval)

    def between(self, first: int, end: int) -> Ints:
        """The starts of the hours that begin within a span.

        Args:
            first: ns since 1970 UTC.
            end: The same, exclusive.
        """
        # Each hour, however short, holds an instant of these steps or begins at a change.
        steps = np.arange(first, end, NS_AN_HOUR, dtype=np.int64)
        changes = self.changes[1:-1]
        starts = np.unique(np.concatenate([self.starts(np.append(steps, end - 1)), changes]))
        return starts[(starts >= first) & (starts < end)]

    def _position(self, instants: Ints) -> Ints:
        return np.searchsorted(self.changes, instants, side="right") - 1


@cache
def clock_hours(timezone: str) -> ClockHours:
    """The hours of a zone from 1970 to 2100; before and after, as at the first and the last time.

    Args:
        timezone: IANA name.
    """
    zone = ZoneInfo(timezone)
    changes, ahead = [int(_ALWAYS)], [_ahead(_FIRST, zone)]
    at = _FIRST
    while at < _END:
        later = at + _STEP
        if _ahead(later, zone) != ahead[-1]:
            changed = _change(at, later, zone)
            changes.append(int(changed.timestamp()) * 10**9)
            ahead.append(_ahead(later, zone))
        at = later
    return ClockHours(
        np.array([*changes, _NEVER], dtype=np.int64), np.array(ahead, dtype=np.int64) * 10**9
    )


def _ahead(at: datetime, zone: ZoneInfo) -> int:
    """Seconds by which the clock is ahead of UTC, without whole hours."""
    offset = at.astimezone(zone).utcoffset() or timedelta()
    return int(offset.total_seconds()) % 3600


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first second between two instants at which the clock is as at the second one."""
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if _ahead(middle, zone) == _ahead(before, zone):
            before = middle
        else:
            after = middle
    return after
