"""What is kept of one target, in memory during a turn of the routes.

Belongs here: reading it, queueing an episode's alert, writing it back. Not here: who gets what
(`route_alerts`), sending (`deliver_queue`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from usage_platform.adapters.stores.alert_record import AlertRecord, Failing, Position
from usage_platform.core.alerts.alert import Alert, AlertState, Severity, Standing
from usage_platform.core.alerts.alert_queue import AlertQueue
from usage_platform.core.alerts.alert_texts import episode_key
from usage_platform.core.alerts.routes import Route
from usage_platform.core.alerts.sent_alerts import SentAlerts
from usage_platform.core.alerts.storms import Storms
from usage_platform.core.meters import Meter

# Routes have checked the severity already.
_ANY = Severity.LOW


@dataclass(frozen=True)
class Due:
    """An episode's message for a target.

    Attributes:
        event: The message.
        meter: Its meter.
        route: The route that brings it; None for none.
        held_until: When the quiet hours end, seconds since 1970; 0 if there are none now.
        remark: A line that is added to the alert's text; empty for none.
    """

    event: Mapping[str, Any]
    meter: Meter
    route: Route | None
    held_until: float = 0.0
    remark: str = ""


class TargetState:
    """The alerts that a target was sent, its storms and its queue.

    Args:
        record: Where they are kept.
        now: The current time, with a zone.

    Raises:
        LakeError: When the record cannot be read.
    """

    def __init__(self, record: AlertRecord, now: datetime) -> None:
        kept = record.read()
        self._record = record
        self._now = now.timestamp()
        self.sent = SentAlerts(kept.standings)
        self.sent.forget(self._now)
        self.storms = Storms(self.sent, kept.storms)
        self.queue = AlertQueue(kept.waiting, kept.more)
        self.failing: Failing | None = kept.failing
        self._routed = kept.routed
        self.is_changed = False

    def has_routed(self, topic: str, partition: int, offset: int) -> bool:
        """Whether a message is in the record already; else it is taken to be from now on.

        Routing a message again would bring an episode back that a later message has withdrawn.
        """
        if not topic:
            return False  # A broker without ids: nothing tells that the topic is another one.
        if self._routed.topic != topic:
            self._routed = Position(topic=topic)
        offsets = self._routed.offsets
        if offset < offsets.get(partition, 0):
            return True
        offsets[partition] = offset + 1
        return False

    def knows(self, event: Mapping[str, Any]) -> Standing | None:
        """The standing of an episode that the target has heard of and that was not withdrawn."""
        found = self.sent.of(event)
        return None if found is None or found.state is AlertState.WITHDRAWN else found

    def look_ahead(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Learn of the messages that are queued next, so that a storm is seen as one."""
        self.storms.look_ahead(events, _ANY)

    def queue_alert(self, due: Due) -> bool:
        """Queue the alert on a message, or count it in a storm; returns whether there is one."""
        route = due.route.name if due.route else ""
        if self.storms.take(due.event, _ANY, self._now, due.held_until, route):
            self.is_changed = True
            return True
        alert = self.sent.due(due.event, _ANY, due.meter)
        if alert is None:
            return False
        if due.remark:
            alert = replace(alert, text=f"{alert.text}\n{due.remark}")
        is_failing = self.failing is not None
        self.queue.add(alert, self._now, due.held_until, is_failing=is_failing)
        standing = replace(alert.standing, at=self._now, route=alert.standing.route or route)
        self.sent.mark(episode_key(due.event), standing)
        self.is_changed = True
        return True

    def take_over(self, alerts: Iterable[Alert]) -> None:
        """Queue alerts that waited for a target that is no more."""
        for alert in alerts:
            self.queue.add(alert, self._now)
            self.is_changed = True

    def write(self) -> None:
        """Replace the record, all or nothing."""
        kept = (self.sent.standings, self.storms.known, self.failing, self.queue, self._routed)
        self._record.write(*kept)
        self.is_changed = False
