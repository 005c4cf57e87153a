"""The alerts that wait for one target: held by quiet hours, or due and not sent yet.

Belongs here: in what order they are sent, what is one digest, and how many may wait. Not here: the
words of a digest (`digests`), where the queue is kept (`adapters.stores.alert_record`).

Alerts are sent in the order in which they become due. The held ones of one instant are one digest:
after that instant none is added to it, so that a repetition says the same.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from usage_platform.core.alerts.alert import Alert

MOST_HELD = 200
"""Alerts in one digest; of others it says how many there are."""

MOST_HELD_BYTES = 100_000
"""Bytes of the alerts in one digest, as JSON: SNS takes 256 KB."""

MOST_DUE = 500
"""Alerts that are due and may wait for a target that takes none."""

MOST_BEHIND = 5_000
"""Alerts that are due and may wait for a target that takes them, before the others wait for it."""

_HOUR = 3600.0


@dataclass(frozen=True)
class Waiting:
    """An alert that waits.

    Attributes:
        alert: The alert.
        ready_at: When it is due, seconds since 1970.
        is_held: Whether quiet hours hold it until then.
    """

    alert: Alert
    ready_at: float
    is_held: bool

    def is_due(self, now: float) -> bool:
        """Whether it is sent now; one that is not held also when the clock was set back."""
        return not self.is_held or self.ready_at <= now


@dataclass(frozen=True)
class Batch:
    """What is sent as one message.

    Attributes:
        ready_at: When it was due, seconds since 1970.
        entries: Its alerts: one, or those of a digest.
        more: Alerts beyond the limits, which are only counted.
    """

    ready_at: float
    entries: Sequence[Waiting]
    more: int = 0

    @property
    def single(self) -> Alert | None:
        """The alert that is sent alone; None for a digest."""
        return self.entries[0].alert if len(self.entries) == 1 and not self.more else None


class AlertQueue:
    """The queue of one target.

    Args:
        entries: What waits, in the order in which it was added.
        more: The number of alerts beyond the limits, by when they are due.
    """

    def __init__(
        self, entries: Sequence[Waiting] = (), more: Mapping[float, int] | None = None
    ) -> None:
        self._entries = list(entries)
        self._more = dict(more or {})

    @property
    def entries(self) -> Sequence[Waiting]:
        """What waits, in the order in which it was added."""
        return self._entries

    @property
    def more(self) -> Mapping[float, int]:
        """The number of alerts beyond the limits, by when they are due."""
        return self._more

    def due(self, now: float) -> int:
        """How many alerts are due; `now` in seconds since 1970."""
        return sum(one.is_due(now) for one in self._entries)

    def add(
        self, alert: Alert, now: float, held_until: float = 0.0, *, is_failing: bool = False
    ) -> None:
        """Add an alert; beyond the limits it is only counted.

        An alert never overtakes an earlier one on the same episode.

        Args:
            alert: The alert.
            now: The current time, seconds since 1970.
            held_until: When the quiet hours end, the same; 0 if there are none now.
            is_failing: Whether the target takes none at the moment.
        """
        same = [one.ready_at for one in self._entries if _subject(one.alert) == _subject(alert)]
        ready_at = max(now, held_until, *same)
        is_held = ready_at > now
        is_limited = is_held or is_failing
        if not is_limited or self._has_room(alert, ready_at, is_held):
            self._entries.append(Waiting(alert, ready_at, is_held))
            return
        # Those that are due already are counted up to the next full hour.
        at = ready_at if is_held else (now // _HOUR + 1) * _HOUR
        self._more[at] = self._more.get(at, 0) + 1

    def next_batch(self, now: float) -> Batch | None:
        """What is sent next; None if nothing is due. `now` in seconds since 1970."""
        times = [one.ready_at for one in self._entries if one.is_due(now)]
        ready_at = min((*times, *(at for at in self._more if at <= now)), default=None)
        if ready_at is None:
            return None
        entries = [one for one in self._entries if one.ready_at == ready_at]
        at_once = next((one for one in entries if not one.is_held), None)
        if at_once is not None:
            return Batch(ready_at, (at_once,))
        return Batch(ready_at, entries, self._more.get(ready_at, 0))

    def remove(self, batch: Batch) -> None:
        """Remove what was sent or given up."""
        sent = {id(one) for one in batch.entries}
        self._entries = [one for one in self._entries if id(one) not in sent]
        if batch.more:
            del self._more[batch.ready_at]

    def _has_room(self, alert: Alert, ready_at: float, is_held: bool) -> bool:
        if not is_held:
            return sum(not one.is_held for one in self._entries) < MOST_DUE
        beside = [one.alert for one in self._entries if one.ready_at == ready_at and one.is_held]
        size = sum(map(_bytes, (*beside, alert)))
        return len(beside) < MOST_HELD and size <= MOST_HELD_BYTES


def _subject(alert: Alert) -> tuple[str, str]:
    return alert.meter, alert.episode


def _bytes(alert: Alert) -> int:
    return len(json.dumps(alert.as_json()))
