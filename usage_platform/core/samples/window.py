"""The samples of one meter that may still change a reading, in the order of their times.

Belongs here: which samples are accepted and kept, and which intervals they may change. Not here:
the readings (`interval_means`), all meters together (`stage`).

An hour of samples stays open: one that arrives late, or again with another value, corrects the
readings since then. A window keeps the samples of that hour from the start of an interval on, and
one before (of a register that has fallen, from before the fall on); 24 bytes each. At one sample in
10 seconds and intervals of 5 minutes that is 10 kB, at the most that is accepted (two a second,
intervals of an hour) 350 kB.
"""

from array import array
from bisect import bisect_left
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from usage_platform.core.measurement import Quantity
from usage_platform.core.meter_descriptions.samples import SampleDescription
from usage_platform.core.meter_files.register_dips import before_fall
from usage_platform.core.meters import Meter
from usage_platform.core.samples.parsing import LONGEST_DELAY
from usage_platform.core.samples.reject_reasons import SampleReason
from usage_platform.core.time.units import NS_A_MINUTE, NS_AN_HOUR

LATE = NS_AN_HOUR
"""How far before the newest sample of its meter one may lie and still count, ns."""

MOST_A_MINUTE = 120
"""How many samples of a meter are accepted, by the minutes of an interval."""

_PARTITION_BITS = 48
_OFFSET_BITS = (1 << _PARTITION_BITS) - 1


class SampleWindow:
    """The samples of one meter, and what was published of them.

    Args:
        meter: The meter; its interval and zone are the grid of the readings.
        description: What its samples are.

    Attributes:
        times: ns since 1970 UTC, ascending, each once.
        values: As they were sent, one for each time.
        published: The published mean power in kW by the start of its interval, ns.
        closed_until: All intervals before this instant were closed; 0 before the first sample.
        first_offsets: By partition of the topic, the offset of the first kept sample.
    """

    def __init__(self, meter: Meter, description: SampleDescription) -> None:
        self.meter = meter
        self.description = description
        self.times = array("q")
        self.values = array("d")
        self.published: dict[int, float] = {}
        self.closed_until = 0
        self.interval = meter.interval_minutes * NS_A_MINUTE
        self._zone = ZoneInfo(meter.timezone)
        self.first_offsets: dict[int, int] = {}
        self._places = array("q")
        self._settled = 0
        self._changed: int | None = None

    def add(self, time: int, value: float, partition: int, offset: int) -> SampleReason | None:
        """Add a sample.

        Args:
            time: ns since 1970 UTC.
            value: The value.
            partition: Its partition of the topic.
            offset: Its offset there.

        Returns:
            Why it is not accepted; None if it is, or if it is there already.
        """
        at = bisect_left(self.times, time)
        is_newest = at == len(self.times)
        if not is_newest and (time < self._settled or (at and self.times[at - 1] < self._settled)):
            return SampleReason.TOO_LATE
        if not is_newest and self.times[at] == time:
            if self.values[at] != value:
                # Its place stays the first one, behind which all that was decided by it lies.
                self.values[at] = value
                self._touch(at)
            return None
        start = self.start_of(time)
        first = bisect_left(self.times, start)
        after = bisect_left(self.times, start + self.interval, first)
        if after - first >= MOST_A_MINUTE * self.meter.interval_minutes:
            return SampleReason.TOO_MANY
        self.times.insert(at, time)
        self.values.insert(at, value)
        self._places.insert(at, partition << _PARTITION_BITS | offset)
        self._note_place(partition, offset)
        self._touch(at)
        if is_newest:
            self._settled = self.start_of(time - LATE)
        return None

    def start_of(self, instant: int) -> int:
        """The start of the interval that an instant lies in, by the clock of the meter's zone."""
        at = datetime.fromtimestamp(instant // 10**9, UTC).astimezone(self._zone)
        offset = at.utcoffset()
        shift = 0 if offset is None else int(offset.total_seconds()) * 10**9
        return instant - (instant + shift) % self.interval

    def closes_until(self, closing_time: int) -> int:
        """The end of the intervals that are closed, ns; 0 without a sample.

        Args:
            closing_time: Intervals that ended by then are closed without another sample, ns.
        """
        if not self.times:
            return 0
        newest = self.times[-1]
        last = newest
        if self.description.quantity is Quantity.POWER:
            # It holds so long, in intervals without a sample too.
            last += self.description.longest_gap
        by_time = min(self.start_of(max(closing_time, 0)), self.start_of(last) + self.interval)
        return max(self.start_of(newest), by_time, self.closed_until)

    def due_from(self, closed_until: int) -> int | None:
        """The start of the first interval whose reading may be new or another one; None if none."""
        if not self.times:
            return None
        due = self.closed_until or self.start_of(self.times[0])
        if self._changed is not None:
            due = min(due, self._changed)
        return due if due < closed_until else None

    def since(self, start: int) -> slice:
        """The samples from an interval's start on, and what is needed of those before."""
        return slice(self._needed(bisect_left(self.times, start) - 1), None)

    def close(self, closed_until: int) -> None:
        """Note that all readings before an instant are published; forget what changes none."""
        self.closed_until = closed_until
        if self._changed is not None and self._changed < closed_until:
            self._changed = None
        before = self._needed(bisect_left(self.times, self._settled) - 1)
        if before > 0:
            del self.times[:before], self.values[:before], self._places[:before]
            self.first_offsets.clear()
            for place in self._places:
                self._note_place(place >> _PARTITION_BITS, place & _OFFSET_BITS)
        for start in [start for start in self.published if start < self._settled]:
            del self.published[start]

    def is_over(self, now: int) -> bool:
        """Whether no sample that would be accepted from now on has to do with these ones."""
        longest = LONGEST_DELAY + self.description.longest_gap + LATE
        return bool(self.times) and self.times[-1] + longest < now

    def _touch(self, at: int) -> None:
        """Note which interval a sample changes first: that of the one before, which it ends."""
        start = self.start_of(self.times[max(at - 1, 0)])
        self._changed = start if self._changed is None else min(self._changed, start)

    def _needed(self, at: int) -> int:
        """The first sample that the time from a sample on depends on: of a register, before a fall.

        Args:
            at: The position of the sample; -1 for the first one.
        """
        at = max(at, 0)
        is_register = self.description.quantity is Quantity.REGISTER
        return before_fall(self.values, at) if is_register and self.values else at

    def _note_place(self, partition: int, offset: int) -> None:
        self.first_offsets[partition] = min(self.first_offsets.get(partition, offset), offset)
