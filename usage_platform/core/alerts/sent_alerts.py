"""Which alert on an episode is due, after those that were sent.

Belongs here: what one sink was sent, and what follows from it. Not here: the alert's words
(`alert_texts`), many episodes at once (`storms`), how it is kept (`adapters.stores.alert_record`).

An episode gives at most three alerts: that it is there, that it is over, and that it was none after
all. If late readings bring a withdrawn episode back, it is reported again, with a number in its
keys.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from usage_platform.core.alerts.alert import Alert, AlertState, Severity, Standing
from usage_platform.core.alerts.alert_texts import episode_alert, episode_key
from usage_platform.core.anomalies.episode_messages import EpisodeStatus
from usage_platform.core.meters import Meter

KEPT_SECONDS = 30 * 24 * 3600.0
"""An episode that is over is remembered for so long: late readings may still change it. One that is
open is remembered until it is over."""

_ORDER = list(Severity)


class SentAlerts:
    """The last alert on each episode that one sink was sent."""

    def __init__(self, standings: Mapping[str, Standing] | None = None) -> None:
        self._standings = dict(standings or {})

    @property
    def standings(self) -> Mapping[str, Standing]:
        """By `meter/episode`, the one reported last at the end."""
        return self._standings

    def of(self, event: Mapping[str, Any]) -> Standing | None:
        """The last report of a message's episode; None if there was none."""
        return self._standings.get(episode_key(event))

    def due(self, event: Mapping[str, Any], least: Severity, meter: Meter) -> Alert | None:
        """The alert that a message on an episode gives rise to.

        Args:
            event: A message of the topic `episode`.
            least: Episodes below it are not reported; one that gets as bad later is reported then.
            meter: Gives the local time.
        """
        standing = self.next_standing(event, least)
        return None if standing is None else episode_alert(event, standing, meter)

    def next_standing(self, event: Mapping[str, Any], least: Severity) -> Standing | None:
        """The standing of an episode once the alert that a message gives rise to was sent."""
        return _next(event, _is_bad_enough(event, least), self.of(event))

    def mark(self, name: str, standing: Standing) -> None:
        """Note that an alert was sent, or given up.

        Args:
            name: `meter/episode`.
            standing: The episode's standing from now on.
        """
        self._standings.pop(name, None)
        self._standings[name] = standing

    def forget(self, now: float) -> None:
        """Forget the episodes that have been over for `KEPT_SECONDS`; `now` in seconds since 1970.

        Open ones stay, however many there are: each would be reported again otherwise.
        """
        for name, one in list(self._standings.items()):
            if one.state is not AlertState.OPENED and now - (one.at or now) > KEPT_SECONDS:
                del self._standings[name]
            elif not one.at:
                self._standings[name] = replace(one, at=now)


def _is_bad_enough(event: Mapping[str, Any], least: Severity) -> bool:
    said = event.get("severity")
    return said is not None and _ORDER.index(Severity(said)) >= _ORDER.index(least)


def _next(event: Mapping[str, Any], bad_enough: bool, before: Standing | None) -> Standing | None:
    status = EpisodeStatus(event["status"])
    if before is None or before.state is AlertState.WITHDRAWN:
        if status is EpisodeStatus.WITHDRAWN or not bad_enough:
            return None
        is_over = status is EpisodeStatus.CLOSED
        times = 1 if before is None else before.times + 1
        return Standing(AlertState.CLOSED if is_over else AlertState.OPENED, times, event["kind"])
    if status is EpisodeStatus.WITHDRAWN:
        return replace(before, state=AlertState.WITHDRAWN)
    if status is EpisodeStatus.CLOSED and before.state is AlertState.OPENED:
        return replace(before, state=AlertState.CLOSED)
    return None
