"""Decides who gets the alerts on the topic `episode`, and queues them durably for each target.

Belongs here: one turn of routing. Not here: who gets a message (`route_decisions`), sending what is
queued (`deliver_queue`), offsets (`episode_feed`).

Each message is routed once for all targets, as hours and costs change: were each target to decide
by itself, two might each leave an alert to the other. In this order: the decisions are written,
then what is queued to the record of each target, then the offsets are committed. After a crash in
between the messages are routed again by the same decisions, and a target whose record was written
already leaves them out.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from usage_platform.adapters.stores.routing_record import Decided, Routed, RoutingRecord
from usage_platform.core.alerts.alert_queue import MOST_BEHIND
from usage_platform.core.alerts.escalations import DueStep, Escalation, Escalations
from usage_platform.core.alerts.quiet_hours import end_of_quiet
from usage_platform.core.alerts.routes import Route
from usage_platform.services.route_decisions import (
    Decision,
    EpisodeFeed,
    Event,
    RoutingInputs,
    decide,
    decided_by,
)
from usage_platform.services.target_state import Due, TargetState


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
        before = self._before(feed.topic)
        decisions = decide(messages, before, self._inputs, self._now, more_time)
        steps = self._due_steps()
        self._look_ahead(decisions, steps)
        routed = self._queue_all(feed.topic, decisions)
        # Decisions on messages that have to wait are still those of before the crash.
        waiting = {one.key for one in messages[routed:]}
        decided = {key: one for key, one in before.items() if key in waiting}
        decided |= decided_by(decisions[:routed])
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

    def _look_ahead(
        self,
        decisions: Sequence[Decision | None],
        steps: Sequence[tuple[Escalation, DueStep]],
    ) -> None:
        ahead: dict[str, list[Event]] = {name: [] for name in self._states}
        given = [(one.event, one.names) for one in decisions if one is not None]
        given += [(escalation.event, self._receivers(step)) for escalation, step in steps]
        for event, names in given:
            for name in names:
                ahead.get(name, []).append(event)
        for name, events in ahead.items():
            self._states[name].look_ahead(events)

    def _queue_all(self, topic: str, decisions: Sequence[Decision | None]) -> int:
        """Queue the alerts; returns the number of messages that this was done for."""
        for count, decision in enumerate(decisions):
            if decision is None:
                continue
            if any(self._is_full(name) for name in decision.names):
                return count
            self._escalations.update(decision.event)
            self._queue(topic, decision)
        return len(decisions)

    def _queue(self, topic: str, decision: Decision) -> None:
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
        """Whether a target is far behind; one that takes nothing stops no other."""
        state = self._states.get(name)
        if state is None or state.failing is not None:
            return False
        return state.queue.due(self._now.timestamp()) >= MOST_BEHIND

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
        for name in self._receivers(step):
            self._states[name].queue_alert(self._due(pending.event, route, remark))

    def _receivers(self, step: DueStep) -> list[str]:
        """The targets of a step; all sinks if none of them is there any more."""
        found = [name for name in step.targets if name in self._states]
        return found or [name for name in self._inputs.sinks if name in self._states]
