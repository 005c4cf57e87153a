"""Targets and routes: who gets which alert, and when.

Belongs here: routes as values, and which one takes an episode. Not here: the file that describes
them (`routes_file`), queues (`alert_queue`), sending (`services`).

Routes are tried in their order, and the first one whose conditions all hold takes the episode. The
cost is looked up last and only if a route asks for it: that reads the lake.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase

import numpy as np

from usage_platform.core.alerts.alert import Severity
from usage_platform.core.meters import Meter
from usage_platform.core.tariffs.times import DAY_NAMES, Times

_ORDER = list(Severity)

CostLookup = Callable[[], Decimal | None]
"""Looks up the cost of an episode in the currency of the meter's tariff; None if it is unknown."""


@dataclass(frozen=True)
class Weekly:
    """When a target gets the weekly mail.

    Attributes:
        day: 0 (Monday) to 6.
        minute: Minutes since the local midnight.
    """

    day: int
    minute: int


@dataclass(frozen=True)
class Target:
    """Somebody who gets alerts: a sink of the settings, with a destination of its own.

    Attributes:
        name: Its name.
        sink: The name of the sink.
        to: Mail addresses; empty for those of the settings.
        topic: Topic of MQTT; empty for that of the settings.
        address: The name of an address in `USAGE_ALERT_ADDRESSES`; empty for the one of the sink.
        weekly: When it gets the weekly mail; None for never.
    """

    name: str
    sink: str
    to: tuple[str, ...] = ()
    topic: str = ""
    address: str = ""
    weekly: Weekly | None = None


@dataclass(frozen=True)
class Step:
    """Who gets an alert that nobody has acknowledged.

    Attributes:
        hours: Hours after the alert was due.
        targets: The names of the targets.
    """

    hours: float
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Route:
    """Conditions, all of which must hold, and what happens to the episodes that fulfil them.

    Attributes:
        name: Its name.
        meters: Names of meters or patterns with `*`, `?` and `[]`; empty for all.
        groups: Names of groups, of one of which the meter is a member; empty for all.
        kinds: Kinds of episodes; empty for all.
        min_severity: The least severity; None for the one of the settings.
        min_cost: The least cost; None for any, also an unknown one.
        times: Local times at which it takes episodes.
        targets: The names of the targets.
        quiet_hours: Local times during which the alerts are held, in minutes; None for none.
        escalate_after: What happens if nobody acknowledges the episode, the earliest step first.
    """

    name: str
    targets: tuple[str, ...]
    meters: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    min_severity: Severity | None = None
    min_cost: Decimal | None = None
    times: Times = field(default_factory=Times)
    quiet_hours: tuple[int, int] | None = None
    escalate_after: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Routes:
    """All targets by name, and the routes in their order."""

    targets: tuple[Target, ...] = ()
    routes: tuple[Route, ...] = ()

    def route(self, name: str) -> Route | None:
        """The route of a name; None if there is none (any more)."""
        return next((one for one in self.routes if one.name == name), None)

    @property
    def named_targets(self) -> list[str]:
        """The names of all targets of all routes, each once, in the order of the file."""
        names = [
            name
            for route in self.routes
            for targets in (route.targets, *(step.targets for step in route.escalate_after))
            for name in targets
        ]
        return list(dict.fromkeys(names))

    @property
    def used_groups(self) -> frozenset[str]:
        """The names of the groups that routes ask for."""
        return frozenset(group for route in self.routes for group in route.groups)


@dataclass(frozen=True)
class Facts:
    """What routes look at.

    Attributes:
        meter: The meter.
        groups: The names of the groups that it is a member of.
        kind: The episode's kind.
        severity: The episode's severity.
        at: The current time, with a zone.
        cost: Looks up the episode's cost.
    """

    meter: Meter
    groups: frozenset[str]
    kind: str
    severity: Severity
    at: datetime
    cost: CostLookup


def taking_route(routes: Sequence[Route], facts: Facts, least: Severity) -> Route | None:
    """The first route that takes an episode; None if none does.

    Args:
        routes: In their order.
        facts: What is known of the episode.
        least: The least severity for routes that name none.
    """
    return next((one for one in routes if not refusal(one, facts, least)), None)


def refusal(route: Route, facts: Facts, least: Severity) -> str:
    """Why a route does not take an episode, in some words; empty if it does.

    Args:
        route: The route.
        facts: What is known of the episode.
        least: The least severity for routes that name none.
    """
    meter, groups = facts.meter.name, facts.groups
    if route.meters and not any(fnmatchcase(meter, one) for one in route.meters):
        return f"meters: {meter} is none of {', '.join(route.meters)}"
    if route.groups and not groups.intersection(route.groups):
        return f"groups: {meter} is a member of {', '.join(sorted(groups)) or 'no group'}"
    if route.kinds and facts.kind not in route.kinds:
        return f"kinds: {facts.kind} is none of {', '.join(route.kinds)}"
    lowest = route.min_severity or least
    if not is_as_severe(facts.severity, lowest):
        return f"min_severity: {facts.severity.value} is below {lowest.value}"
    if not _holds(route.times, facts):
        local = facts.at.astimezone(facts.meter.zone)
        return f"days or hours: it is {local:%a %H:%M} in {facts.meter.timezone}"
    return _cost_refusal(route, facts)


def is_as_severe(severity: Severity, least: Severity) -> bool:
    """Whether a severity is at least another one."""
    return _ORDER.index(severity) >= _ORDER.index(least)


def _cost_refusal(route: Route, facts: Facts) -> str:
    if route.min_cost is None:
        return ""
    cost = facts.cost()
    if cost is None:
        return "min_cost: the cost is not known"
    return "" if cost >= route.min_cost else f"min_cost: {cost} is below {route.min_cost}"


def _holds(times: Times, facts: Facts) -> bool:
    if times.is_always:
        return True
    local = facts.at.astimezone(facts.meter.zone)
    month_day = 100 * local.month + local.day
    minute = 60 * local.hour + local.minute
    held = times.holds(np.array([month_day]), np.array([local.weekday()]), np.array([minute]))
    return bool(held[0])


def day_name(day: int) -> str:
    """The name of a day of the week as the file writes it."""
    return DAY_NAMES[day]
