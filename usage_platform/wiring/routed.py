"""What a turn of alerts by routes needs, built from the settings and the lake's files.

Belongs here: building it, and what is done without a file that can be read. Not here: the turn
(`services.routed_alerts`), targets (`targets`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, partial

from usage_platform.adapters.kafka.topics import ensure_topics
from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.lake_id import lake_id
from usage_platform.adapters.stores.routing_record import RoutingRecord
from usage_platform.core.alerts.routes import Routes
from usage_platform.core.anomalies.peak_messages import PEAK_WARNING
from usage_platform.core.feedback.reviews import states
from usage_platform.core.fleet.groups import Groups
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.alert_dead_letters import publish_dead_letter
from usage_platform.services.episode_costs import episode_cost
from usage_platform.services.episode_feed import episode_feed
from usage_platform.services.route_decisions import Event, RoutingInputs
from usage_platform.services.routed_alerts import RoutedAlerts
from usage_platform.wiring.groups import groups_of_hour
from usage_platform.wiring.platform import Platform
from usage_platform.wiring.sinks import chosen_sinks
from usage_platform.wiring.targets import chosen_targets

GroupLookup = Callable[[str], frozenset[str]]
"""Looks up the names of a meter's groups."""


@dataclass(frozen=True)
class Chosen:
    """The routes of a lake.

    Attributes:
        routes: The targets and routes.
        groups: Looks up the names of a meter's groups.
        problems: What is wrong with the files, a line each.
    """

    routes: Routes
    groups: GroupLookup
    problems: tuple[str, ...] = ()


def chosen_routes(deployment: Platform, now: datetime) -> Chosen | None:
    """The routes of the lake; None where alerts were never routed: each sink gets all of them.

    With a mistake in a file, alerts go on: by the last file of routes without one, or past the
    routes that ask for groups.

    Args:
        deployment: The services.
        now: The current time, with a zone.

    Raises:
        LakeError: When the lake cannot be read.
    """
    problems: list[str] = []
    try:
        found = deployment.routes.apply()
        if found is None and not RoutingRecord(deployment.assets).exists:
            return None
        routes = found or Routes()
    except LakeError as error:
        routes = deployment.routes.applied()
        problems.append(f"the last routes without a mistake apply: {error}")
    if not routes.used_groups:
        return Chosen(routes, _no_groups, tuple(problems))
    try:
        groups = groups_of_hour(deployment, now.timestamp())
    except LakeError as error:
        problems.append(f"no route with groups applies: {error}")
        return Chosen(routes, _no_groups, tuple(problems))
    registry = deployment.registry()

    def names(meter: str) -> frozenset[str]:
        return groups.names_of(meter, now.astimezone(registry.get(meter).zone).date())

    return Chosen(routes, names, (*problems, *unknown_groups(routes, groups)))


def unknown_groups(routes: Routes, groups: Groups) -> Iterator[str]:
    """A line for each group that a route asks for and that does not exist."""
    known = {group.name for group in groups.groups}
    for route in routes.routes:
        for name in route.groups:
            if name not in known:
                yield f"route {route.name}: groups: expected a group of groups.yaml, got {name!r}"


def _no_groups(meter: str) -> frozenset[str]:
    del meter
    return frozenset()


def routed_alerts(deployment: Platform, chosen: Chosen, now: datetime) -> RoutedAlerts:
    """What a turn needs.

    Args:
        deployment: The services.
        chosen: The routes.
        now: The current time, with a zone.

    Raises:
        KafkaUnreachableError: When no broker is known or answers.
        KafkaException: When the broker refuses.
        LakeError: When the lake cannot be read.
    """
    settings, kafka = deployment.settings, deployment.kafka
    # The first turn starts at the end of the topic: on a new platform, before the first episode.
    ensure_topics(kafka)
    sinks = [sink.name for sink in chosen_sinks(settings)]
    registry = deployment.registry()
    inputs = RoutingInputs(
        routes=chosen.routes,
        sinks=sinks,
        least=settings.alert_min_severity,
        registry=registry,
        groups=chosen.groups,
        cost=cost_of(deployment, registry),
        acknowledged=lambda: {
            episode
            for episode, state in states(deployment.reviews.read()).items()
            if state.acknowledged_at is not None
        },
    )
    return RoutedAlerts(
        assets=deployment.assets,
        targets=chosen_targets(settings, chosen.routes),
        inputs=inputs,
        feed=partial(episode_feed, kafka, deployment.assets, lake_id(deployment.lake), sinks),
        turns=deployment.sink_turn,
        give_up=lambda name, alert, reason, tries: publish_dead_letter(
            kafka, name, alert, reason, tries, now
        ),
    )


def cost_of(deployment: Platform, registry: MeterRegistry) -> Callable[[Event], Decimal | None]:
    """Looks up the cost of a message's episode; None if it is unknown."""
    book = cache(deployment.tariff_book)

    def cost(event: Event) -> Decimal | None:
        if event.get("kind") == PEAK_WARNING:
            said = event.get("cost")
            return Decimal(str(said)) if isinstance(said, int | float) else None
        meter = registry.get(event["meter"])
        try:
            found = episode_cost(deployment.reader, book(), meter, event["episode"], event["end"])
        except LakeError:
            # Such as a table that does not exist yet: a route that asks for a cost waits for it.
            return None
        return None if found is None else found[0]

    return cost
