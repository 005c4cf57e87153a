"""Which meters are silent: no reading for longer than is usual for the meter.

Belongs here: when a meter's readings arrive, how long its pauses usually are, and from when on a
pause counts as silence. Not here: the message about it (`gap_messages`), where readings are missing
(`core.readings.gaps`), the clock (`services.score`).

A pause is measured on the broker's clock, from the arrival of a meter's newest reading. Readings of
the past, as a playback or a load of history publishes them, create no expectation of a next one:
only pauses between live readings count, so that the end of a playback is no outage.

State: a few numbers a meter. Cost: an arrival looks at its meter only; a check looks at the meters
whose pause may have become too long since the last check (a heap).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Ints
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.time.units import NS_A_MINUTE, instants_of

LIVE = pd.Timedelta(days=2)
"""A reading that arrives within this time of its interval's start is live; others are history."""

LEAST_INTERVALS = 3
"""A shorter pause, in intervals of the meter, is never silence."""

_FACTOR = 1.5
_TOP = 3
_WEEK = 7 * 24 * 60 * NS_A_MINUTE
_WEEKS = 5
# A scorer that was away, or whose clock was set, gives every meter time to deliver first.
_LONGEST_BREAK = 5 * NS_A_MINUTE
_NEVER = int(np.iinfo(np.int64).min)


@dataclass(slots=True)
class _Arrivals:
    """When one meter's readings arrive; instants and pauses in ns.

    Attributes:
        newest: Interval start of its newest reading.
        at: When that arrived.
        is_live: Whether that is live.
        longest: The longest pauses between live readings, by week (since 1970).
    """

    newest: int = _NEVER
    at: int = 0
    is_live: bool = False
    longest: dict[int, list[int]] = field(default_factory=dict[int, list[int]])

    def add(self, newest: Ints, arrived: Ints, interval: int) -> None:
        """Add arrivals in their order; only a reading newer than all before it counts.

        Pauses below half an interval are within one delivery of several readings.
        """
        highest = np.maximum.accumulate(np.concatenate([[self.newest], newest]))
        counts = newest > highest[:-1]
        newest, arrived = newest[counts], arrived[counts]
        if not len(newest):
            return
        live = arrived - newest < LIVE.value
        before = np.concatenate([[self.is_live], live[:-1]])
        pauses = np.diff(arrived, prepend=self.at)
        usable = live & before & (pauses >= interval // 2)
        for week in np.unique(arrived[usable] // _WEEK):
            of_week = pauses[usable & (arrived // _WEEK == week)]
            known = self.longest.get(int(week), [])
            self.longest[int(week)] = sorted([*known, *of_week.tolist()])[-_TOP:]
        self.newest, self.at, self.is_live = int(newest[-1]), int(arrived[-1]), bool(live[-1])
        for week in [w for w in self.longest if w <= self.at // _WEEK - _WEEKS]:
            del self.longest[week]

    @property
    def usual(self) -> int | None:
        """The third longest pause of the last five weeks; None before there are three.

        Two outages in that time do not make the third one usual; a meter that sleeps each night or
        each weekend, or delivers once a day, is known for it.
        """
        pauses = sorted(pause for week in self.longest.values() for pause in week)
        return pauses[-_TOP] if len(pauses) >= _TOP else None


@dataclass(frozen=True)
class Silence:
    """One meter's silence.

    Attributes:
        meter: The meter's name.
        start: Start of the first interval without a reading, ns since 1970 UTC.
        limit: The longest pause that is usual for the meter, ns.
    """

    meter: str
    start: int
    limit: int


class SilenceWatch:
    """Watches the arrivals of all meters; a function of the events and of the times of its checks.

    Instants are ns since 1970 UTC.
    """

    def __init__(self) -> None:
        self._meters: dict[str, _Arrivals] = {}
        self._due: list[tuple[int, str]] = []
        self._scheduled: set[str] = set()
        self._published: dict[str, int] = {}
        self._checked = _NEVER
        self._since = 0

    def add(self, readings: pd.DataFrame, registry: MeterRegistry) -> None:
        """Add readings that arrived.

        Args:
            readings: meter, event_time and kafka_time (datetime64[ns, UTC]), any order.
            registry: The known meters.
        """
        if readings.empty:
            return
        codes, names = pd.factorize(readings["meter"])
        newest = instants_of(readings.loc[:, "event_time"])
        arrived = instants_of(readings.loc[:, "kafka_time"])
        order = np.argsort(codes, kind="stable")
        for part in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
            self.add_of(str(names[codes[part[0]]]), newest[part], arrived[part], registry)

    def add_of(self, meter: str, newest: Ints, arrived: Ints, registry: MeterRegistry) -> None:
        """Add readings of one meter that arrived, as `add` does.

        Args:
            meter: The meter's name.
            newest: int64, shape (n,): their interval starts, any order.
            arrived: int64, shape (n,): when they arrived.
            registry: The known meters.
        """
        order = np.lexsort((newest, arrived))
        known = self._meters.setdefault(meter, _Arrivals())
        interval = registry.get(meter).interval_minutes * NS_A_MINUTE
        known.add(newest[order], arrived[order], interval)
        if meter not in self._scheduled and known.is_live and known.usual is not None:
            # The check looks again: the least limit is not known here.
            self._schedule(known.at, meter)

    def published(self, meter: str) -> int | None:
        """Start of the meter's last silence that was published; None without one."""
        return self._published.get(meter)

    def note_published(self, meter: str, start: int) -> None:
        """Remember a silence that was published."""
        self._published[meter] = start

    def check(
        self,
        now: int,
        least: int,
        registry: MeterRegistry,
        played_to: Callable[[], Mapping[str, int]],
    ) -> list[Silence]:
        """The meters that have become silent and were not published as such, by name.

        Args:
            now: All events that the broker had by then were added.
            least: A shorter pause is never silence, ns.
            registry: The known meters.
            played_to: Gives, by meter, the last reading of the source that the platform plays:
                nothing is expected after that one. Called only if a meter may be silent.
        """
        if not 0 <= now - self._checked <= _LONGEST_BREAK:
            self._since = now
        self._checked = now
        found: list[Silence] = []
        while self._due and self._due[0][0] <= now:
            _, name = heappop(self._due)
            self._scheduled.discard(name)
            meter, known = registry.get(name), self._meters[name]
            interval = meter.interval_minutes * NS_A_MINUTE
            start, limit = known.newest + interval, self._limit(known, meter, least)
            if not known.is_live or limit is None or self._published.get(name) == start:
                continue
            due = max(known.at + limit, self._since + max(least, LEAST_INTERVALS * interval))
            if due > now:
                self._schedule(due, name)
            else:
                found.append(Silence(name, start, limit))
        if not found:
            return []
        ends = played_to()
        silent = [one for one in found if ends.get(one.meter) != self._meters[one.meter].newest]
        return sorted(silent, key=lambda one: one.meter)

    def _limit(self, known: _Arrivals, meter: Meter, least: int) -> int | None:
        usual = known.usual
        if usual is None:
            return None
        return max(
            least, LEAST_INTERVALS * meter.interval_minutes * NS_A_MINUTE, int(_FACTOR * usual)
        )

    def _schedule(self, at: int, meter: str) -> None:
        self._scheduled.add(meter)
        heappush(self._due, (at, meter))
