"""Decides who gets the alerts on the topic `episode`, and queues them durably for each target.

Belongs here: one turn of routing. Not here: what the routes say (`core.alerts.routes`), sending
what is queued (`deliver_queue`), offsets (`episode_feed`).

Each message is routed once for all targets, as hours and costs change: were each target to decide
by itself, two might each leave an alert to the other. In this order: the decisions are written,
then what is queued to the record of each target, then the offsets are committed. After a crash in
between the messages are routed again by the same decisions, and a target whose record was written
already leaves them out.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from usage_platform.adapters.stores.routing_record import Decided, Routed, RoutingRecord
from usage_platform.core.alerts.alert import Severity
from usage_platform.core.alerts.alert_queue import MOST_DUE
from usage_platform.core.alerts.escalations import DueStep, Escalation, Escalations
from usage_platform.core.alerts.quiet_hours import end_of_quiet
from usage_platform.core.alerts.routes import (
    Facts,
    Route,
    Routes,
    is_as_severe,
    taking_route,
)
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.target_state import Due, TargetState

Event = Mapping[str, Any]
Episode = tuple[str, str]


@dataclass(frozen=True)
class FeedMessage:
    """A message of the topic `episode`.

    Attributes:
        partition: Its partition.
        offset: Its offset.
        event: Its content; None if it is not readable.
    """

    partition: int
    offset: int
    event: Event | None

    @property
    def key(self) -> str:
        """`partition:offset`."""
        return f"{self.partition}:{self.offset}"


class EpisodeFeed(Protocol):
    """The messages of the topic `episode` that were not routed yet."""

    @property
    def topic(self) -> str:
        """The id of the topic, once the messages were read."""
        ...

    def messages(self) -> Sequence[FeedMessage]:
        """What waits."""
        ...

    def commit(self, count: int) -> None:
        """Take the first messages as routed."""
        ...


@dataclass(frozen=True)
class RoutingInputs:
    """What routing looks at.

    Attributes:
        routes: The targets and routes.
        sinks: The targets of what no route takes.
        least: The least severity where a route names none.
        registry: The known meters.
        groups: The names of the groups of a meter.
        cost: The cost of a message's episode; None if it is unknown.
        acknowledged: Looks up the episodes that somebody has acknowledged.
    """

    routes: Routes
    sinks: Sequence[str]
    least: Severity
    registry: MeterRegistry
    groups: Callable[[str], frozenset[str]]
    cost: Callable[[Event], Decimal | None]
    acknowledged: Callable[[], Collection[Episode]]


@dataclass(frozen=True)
class _Decision:
    """Who gets a message's episode from now on."""

    message: FeedMessage
    event: Event
    route: Route | None
    names: Sequence[str]


class Routing:
    """One turn of routing.

    Args:
        inputs: What it looks at.
        states: What is kept of each target, by name.
        record: The pending escalations.
        now: The current time, with a zone.

    Raises:
        LakeError: When the record cannot be read.
    """

    def __init__(
        self,
        inputs: RoutingInputs,
        states: Mapping[str, TargetState],
        record: RoutingRecord,
        now: datetime,
    ) -> None:
        self._inputs = inputs
        self._states = states
        self._record = record
        self._now = now
        self._kept = record.read()
        self._escalations = Escalations(self._kept.escalations)

    def turn(self, feed: EpisodeFeed, more_time: Iterator[bool]) -> int:
        """Queue the alerts on what waits, and the escalations that are due.

        Args:
            feed: The messages.
            more_time: Yields before each message whether there is time for it.

        Returns:
            The number of messages that were routed.

        Raises:
            KafkaException: When the broker refuses; nothing is lost.
            LakeError: When something cannot be read or written; nothing is lost.
        """
        messages = feed.messages()
        decisions = self._decisions(feed.topic, messages, more_time)
        steps = self._due_steps()
        self._look_ahead(decisions, steps)
        routed = self._queue_all(feed.topic, decisions)
        # Decisions on messages that have to wait are still those of before the crash.
        waiting = {one.key for one in messages[routed:]}
        decided = {key: one for key, one in self._before(feed.topic).items() if key in waiting}
        decided |= _decided(decisions[:routed])
        self._keep(feed.topic, decided)
        for escalation, step in steps:
            self._escalate(escalation, step)
        for state in self._states.values():
            if state.is_changed:
                state.write()
        for escalation, _ in steps:
            if escalation.key in self._escalations.pending:
                self._escalations.end_step(escalation.key)
        self._keep(feed.topic, decided)
        feed.commit(routed)
        return routed

    def _before(self, topic: str) -> Mapping[str, Decided]:
        """The decisions of the turn before."""
        return self._kept.decisions if self._kept.topic == topic else {}

    def _keep(self, topic: str, decided: dict[str, Decided]) -> None:
        """Write the escalations and decisions, if there is anything new to keep of them."""
        is_new = bool(decided) and decided != self._before(topic)
        if is_new or self._escalations.is_changed or not self._record.exists:
            self._record.write(self._escalations.pending, topic, decided)
            self._kept = Routed(topic=topic, decisions=decided)
            self._escalations.is_changed = False

    def _decisions(
        self, topic: str, messages: Sequence[FeedMessage], more_time: Iterator[bool]
    ) -> list[_Decision | None]:
        """A decision for each message, as long as there is time; None for an unreadable one."""
        before = self._before(topic)
        found: list[_Decision | None] = []
        for message in messages:
            if not next(more_time):
                break
            if message.event is None:
                found.append(None)
            elif message.key in before:
                route, names = before[message.key]
                own = self._inputs.routes.route(route)
                found.append(_Decision(message, message.event, own, names))
            else:
                found.append(self._decision(message, message.event))
        return found

    def _decision(self, message: FeedMessage, event: Event) -> _Decision:
        if "severity" not in event:
            # Withdrawn: whoever has heard of it hears of that.
            return _Decision(message, event, None, ())
        inputs, severity = self._inputs, Severity(event["severity"])
        facts = Facts(
            meter=inputs.registry.get(event["meter"]),
            groups=inputs.groups(event["meter"]),
            kind=event["kind"],
            severity=severity,
            at=self._now,
            cost=lambda: inputs.cost(event),
        )
        route = taking_route(inputs.routes.routes, facts, inputs.least)
        if route is not None:
            return _Decision(message, event, route, route.targets)
        names = inputs.sinks if is_as_severe(severity, inputs.least) else ()
        return _Decision(message, event, None, names)

    def _look_ahead(
        self,
        decisions: Sequence[_Decision | None],
        steps: Sequence[tuple[Escalation, DueStep]],
    ) -> None:
        ahead: dict[str, list[Event]] = {name: [] for name in self._states}
        given = [(one.event, one.names) for one in decisions if one is not None]
        given += [(escalation.event, step.targets) for escalation, step in steps]
        for event, names in given:
            for name in names:
                ahead.get(name, []).append(event)
        for name, events in ahead.items():
            self._states[name].look_ahead(events)

    def _queue_all(self, topic: str, decisions: Sequence[_Decision | None]) -> int:
        """Queue the alerts; returns the number of messages that this was done for."""
        for count, decision in enumerate(decisions):
            if decision is None:
                continue
            if any(self._is_full(name) for name in decision.names):
                return count
            self._escalations.update(decision.event)
            self._queue(topic, decision)
        return len(decisions)

    def _queue(self, topic: str, decision: _Decision) -> None:
        event, route, at = decision.event, decision.route, decision.message
        is_opened = False
        for name, state in self._states.items():
            if state.has_routed(topic, at.partition, at.offset):
                continue
            known = state.knows(event)
            if known is None and name not in decision.names:
                continue
            own = route if known is None else self._inputs.routes.route(known.route)
            is_queued = state.queue_alert(self._due(event, own))
            is_opened |= is_queued and known is None
        if route is not None and is_opened:
            since = max(self._now.timestamp(), self._due(event, route).held_until)
            self._escalations.begin(route, event, since)

    def _due(self, event: Event, route: Route | None, remark: str = "") -> Due:
        meter = self._inputs.registry.get(event["meter"])
        end = None
        if route is not None and route.quiet_hours is not None:
            end = end_of_quiet(route.quiet_hours, self._now, meter.zone)
        return Due(event, meter, route, end.timestamp() if end else 0.0, remark)

    def _is_full(self, name: str) -> bool:
        """Whether a target is behind; one that takes nothing stops no other."""
        state = self._states.get(name)
        if state is None or state.failing is not None:
            return False
        return state.queue.due(self._now.timestamp()) >= MOST_DUE

    def _due_steps(self) -> list[tuple[Escalation, DueStep]]:
        """The steps that are due, but for acknowledged episodes, whose escalations end."""
        due = list(self._escalations.due(self._now.timestamp()))
        return due and self._unacknowledged(due)

    def _unacknowledged(
        self, due: list[tuple[Escalation, DueStep]]
    ) -> list[tuple[Escalation, DueStep]]:
        acknowledged = self._inputs.acknowledged()
        left: list[tuple[Escalation, DueStep]] = []
        for escalation, step in due:
            if (escalation.event["meter"], escalation.event["episode"]) in acknowledged:
                self._escalations.end(escalation.key)
            else:
                left.append((escalation, step))
        return left

    def _escalate(self, escalation: Escalation, step: DueStep) -> None:
        pending = self._escalations.pending.get(escalation.key)
        if pending is None:
            return  # Withdrawn by one of the messages of this turn.
        route = self._inputs.routes.route(escalation.route)
        remark = f"Nobody has acknowledged it for {step.hours:g} h (route {escalation.route})."
        for name in step.targets:
            if name in self._states:
                self._states[name].queue_alert(self._due(pending.event, route, remark))


def _decided(decisions: Sequence[_Decision | None]) -> dict[str, Decided]:
    return {
        one.message.key: (one.route.name if one.route else "", tuple(one.names))
        for one in decisions
        if one is not None and one.names
    }
