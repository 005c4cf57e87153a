"""Who gets the alert on each message of the topic `episode`.

Belongs here: asking the routes, or repeating what was decided before a crash. Not here: what the
routes say (`core.alerts.routes`), queueing (`route_alerts`).
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from usage_platform.adapters.stores.routing_record import Decided
from usage_platform.core.alerts.alert import Severity
from usage_platform.core.alerts.routes import (
    Facts,
    Route,
    Routes,
    is_as_severe,
    taking_route,
)
from usage_platform.core.anomalies.episode_messages import EpisodeStatus
from usage_platform.core.meters import MeterRegistry

Event = Mapping[str, Any]
"""A message of the topic `episode`, by field."""

Episode = tuple[str, str]
"""A meter and the name of an episode of it."""


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
class Decision:
    """Who gets a message's episode from now on.

    Attributes:
        message: The message.
        event: Its content.
        route: The route that takes it; None for none.
        names: The names of the targets.
    """

    message: FeedMessage
    event: Event
    route: Route | None
    names: Sequence[str]


def decide(
    messages: Sequence[FeedMessage],
    before: Mapping[str, Decided],
    inputs: RoutingInputs,
    now: datetime,
    more_time: Iterator[bool],
) -> list[Decision | None]:
    """A decision for each message, as long as there is time; None for an unreadable one.

    Args:
        messages: The messages.
        before: The decisions of the turn before, which hold for the same messages.
        inputs: What routing looks at.
        now: The current time, with a zone.
        more_time: Yields before each message whether there is time for it.
    """
    found: list[Decision | None] = []
    for message in messages:
        if not next(more_time):
            break
        if message.event is None:
            found.append(None)
        elif message.key in before:
            name, names = before[message.key]
            found.append(Decision(message, message.event, inputs.routes.route(name), names))
        else:
            found.append(_decision(message, message.event, inputs, now))
    return found


def _decision(message: FeedMessage, event: Event, inputs: RoutingInputs, now: datetime) -> Decision:
    if event["status"] == EpisodeStatus.WITHDRAWN:
        # Whoever has heard of it hears of that.
        return Decision(message, event, None, ())
    severity = Severity(event["severity"])
    facts = Facts(
        meter=inputs.registry.get(event["meter"]),
        groups=inputs.groups(event["meter"]),
        kind=event["kind"],
        severity=severity,
        at=now,
        cost=lambda: inputs.cost(event),
    )
    route = taking_route(inputs.routes.routes, facts, inputs.least)
    if route is not None:
        return Decision(message, event, route, route.targets)
    names = inputs.sinks if is_as_severe(severity, inputs.least) else ()
    return Decision(message, event, None, names)


def decided_by(decisions: Sequence[Decision | None]) -> dict[str, Decided]:
    """Decisions in the form in which they are kept, by the keys of the messages."""
    return {
        one.message.key: (one.route.name if one.route else "", tuple(one.names))
        for one in decisions
        if one is not None and one.names
    }
