"""Escalations: episodes that go to further targets unless somebody acknowledges them.

Belongs here: which steps are pending and due. Not here: who acknowledged what
(`core.feedback.reviews`), where they are kept (`adapters.stores.routing_record`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from usage_platform.core.alerts.alert_texts import episode_key
from usage_platform.core.alerts.routes import Route
from usage_platform.core.anomalies.episode_messages import EpisodeStatus

_HOUR = 3600.0


@dataclass(frozen=True)
class DueStep:
    """A step of an escalation.

    Attributes:
        at: When it is due, seconds since 1970.
        hours: Hours after the alert was due.
        targets: The names of the targets.
    """

    at: float
    hours: float
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Escalation:
    """An episode that a route escalates.

    Attributes:
        route: The route's name.
        event: The newest message on the episode.
        steps: What is left to be done, the earliest first.
    """

    route: str
    event: Mapping[str, Any]
    steps: tuple[DueStep, ...]

    @property
    def key(self) -> str:
        """The key of its episode and its route: `meter/episode:route`."""
        return f"{episode_key(self.event)}:{self.route}"


class Escalations:
    """The pending escalations of all routes.

    Args:
        pending: By key.
    """

    def __init__(self, pending: Mapping[str, Escalation]) -> None:
        self._pending = dict(pending)
        self.is_changed = False
        self._by_episode: dict[str, set[str]] = {}
        for key, one in self._pending.items():
            self._by_episode.setdefault(episode_key(one.event), set()).add(key)

    @property
    def pending(self) -> Mapping[str, Escalation]:
        """By key."""
        return self._pending

    def begin(self, route: Route, event: Mapping[str, Any], since: float) -> None:
        """Begin to wait for an acknowledgement, unless the route waits for it already.

        Args:
            route: The route that took the episode.
            event: The message.
            since: When the alert is due, seconds since 1970.
        """
        steps = tuple(
            DueStep(since + step.hours * _HOUR, step.hours, step.targets)
            for step in route.escalate_after
        )
        one = Escalation(route.name, event, steps)
        if steps and one.key not in self._pending:
            self._pending[one.key] = one
            self._by_episode.setdefault(episode_key(event), set()).add(one.key)
            self.is_changed = True

    def update(self, event: Mapping[str, Any]) -> None:
        """Take note of a message; one that withdraws the episode ends all of its escalations."""
        for key in self._by_episode.get(episode_key(event), set()).copy():
            self.is_changed = True
            if event["status"] == EpisodeStatus.WITHDRAWN:
                self.end(key)
            else:
                self._pending[key] = replace(self._pending[key], event=event)

    def due(self, now: float) -> Iterator[tuple[Escalation, DueStep]]:
        """The first due step of each episode and route; `now` in seconds since 1970."""
        for one in list(self._pending.values()):
            if one.steps[0].at <= now:
                yield one, one.steps[0]

    def end_step(self, key: str) -> None:
        """Take the first step of an escalation as done."""
        self.is_changed = True
        left = self._pending[key].steps[1:]
        if left:
            self._pending[key] = replace(self._pending[key], steps=left)
        else:
            self.end(key)

    def end(self, key: str) -> None:
        """Forget an escalation."""
        self.is_changed = True
        one = self._pending.pop(key)
        self._by_episode[episode_key(one.event)].discard(key)
