"""Storms: many meters with an episode of one kind that began together; people get one alert on all.

Belongs here: which episodes make a storm, and the alerts on it. Not here: alerts on one episode
(`alert`), sending (`services.deliver_alerts`).

More than `MOST_ALONE` episodes of one kind that begin within an hour of each other are a storm. The
ones that were sent alone before are counted in. A storm is sent when it is seen, again when it has
grown or meters are back (at most each five minutes), and at last when all of them are.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from usage_platform.core.alerts.alert import Alert, AlertState, Severity, Standing
from usage_platform.core.alerts.alert_texts import episode_key, local_time, long_time
from usage_platform.core.alerts.sent_alerts import SentAlerts
from usage_platform.core.anomalies.episodes import episode_start
from usage_platform.core.anomalies.gap_messages import GAP, SILENT, gap_name
from usage_platform.core.anomalies.peak_messages import PEAK_WARNING
from usage_platform.core.meters import Meter
from usage_platform.core.time.units import NS_AN_HOUR

MOST_ALONE = 10
"""So many episodes of one kind and time are still sent one by one."""

PAUSE_SECONDS = 300.0
"""Between two alerts on one storm, unless it is over."""

_WINDOW = NS_AN_HOUR
_KEPT_SECONDS = 3600.0
_FIRST_NAMES = 5
_ORDER = list(Severity)


@dataclass(frozen=True)
class Storm:
    """Many episodes of one kind.

    Attributes:
        kind: Their kind.
        since: When the first known one began, ns since 1970 UTC; part of the key.
        first: The names of the first meters.
        severity: The highest severity.
        members: Number of episodes.
        over: Number of those that have ended.
        sent: `members` and `over` when it was sent last.
        sending: Those of an alert that is being sent; None if none is. A repetition says the same.
        alerts: Number of alerts on it that were sent.
        at: When it was sent last, seconds since 1970.
        ready_at: Until when what is not sent yet is held, seconds since 1970; 0 if it is not.
    """

    kind: str
    since: int
    first: tuple[str, ...] = ()
    severity: str = Severity.LOW
    members: int = 0
    over: int = 0
    sent: tuple[int, int] = (0, 0)
    sending: tuple[int, int] | None = None
    alerts: int = 0
    at: float = 0.0
    ready_at: float = 0.0

    @property
    def key(self) -> str:
        """The storm's key: its kind and the time at which it began."""
        return f"{self.kind}/{gap_name(self.since)}"

    def holds(self, start: int) -> bool:
        """Whether an episode of the kind that begins at an instant is a part of it."""
        return -_WINDOW // 2 <= start - self.since <= _WINDOW

    def held_until(self, ready_at: float, now: float) -> float:
        """Until when it is held once an alert is counted that is held until `ready_at`."""
        if self.ready_at > now:
            return min(self.ready_at, ready_at)
        is_sent = self.sending is None and self.sent == (self.members, self.over)
        return ready_at if is_sent else self.ready_at


class Storms:
    """The storms of one sink, and which episodes belong to them.

    Args:
        sent: The alerts on single episodes that the sink was sent.
        known: The storms that are kept, by key.
    """

    def __init__(self, sent: SentAlerts, known: Mapping[str, Storm]) -> None:
        self._sent = sent
        self._storms = dict(known)
        self._starts: dict[str, list[int]] = {}

    @property
    def known(self) -> Mapping[str, Storm]:
        """The storms by key."""
        return self._storms

    def look_ahead(self, events: Iterable[Mapping[str, Any]], least: Severity) -> None:
        """Learn when the episodes begin that wait to be sent, so that many are seen as such.

        Args:
            events: The messages that are delivered next.
            least: Episodes below it are not sent.
        """
        starts: dict[tuple[str, str], int] = {}
        for name, one in self._sent.standings.items():
            if one.state is not AlertState.WITHDRAWN:
                starts[one.kind, name] = episode_start(name.rpartition("/")[2])
        for event in events:
            standing = self._sent.next_standing(event, least)
            if standing is not None and _opens(standing, self._sent.of(event)):
                starts[standing.kind, episode_key(event)] = episode_start(event["episode"])
        self._starts = {}
        for (kind, _), start in sorted(starts.items(), key=lambda item: item[1]):
            self._starts.setdefault(kind, []).append(start)

    def take(
        self,
        event: Mapping[str, Any],
        least: Severity,
        now: float,
        ready_at: float = 0.0,
        route: str = "",
    ) -> bool:
        """Count an episode's message in a storm, if it belongs to one; returns whether it does.

        Args:
            event: A message of the topic `episode`.
            least: Episodes below it are not sent.
            now: The current time, seconds since 1970.
            ready_at: Until when an alert on the episode would be held; 0 if it would not.
            route: Name of the route that takes the episode; empty for none.
        """
        before, standing = self._sent.of(event), self._sent.next_standing(event, least)
        if standing is None:
            return False
        if _opens(standing, before):
            storm = self._storm_of(standing.kind, episode_start(event["episode"]), ready_at)
            if storm is None:
                return False
            self._hold(storm.key, ready_at, now)
            self._add(storm.key, event["meter"], event["severity"], standing)
            standing = replace(standing, storm=storm.key, route=route)
        elif not standing.storm:
            return False
        elif before is not None and before.state is AlertState.OPENED:
            self._hold(standing.storm, ready_at, now)
            self._end_one(standing.storm)
        self._sent.mark(episode_key(event), replace(standing, at=now))
        return True

    def due(self, now: float) -> Storm | None:
        """The next storm of which an alert is due, with `sending` set; None if none is."""
        for key, storm in list(self._storms.items()):
            present = storm.members, storm.over
            is_over = storm.over == storm.members
            if storm.sending is None and storm.sent == present:
                if is_over and now - storm.at > _KEPT_SECONDS:
                    del self._storms[key]
                continue
            if now < storm.ready_at:
                continue
            if storm.sending or not storm.alerts or is_over or now - storm.at >= PAUSE_SECONDS:
                self._storms[key] = replace(storm, sending=storm.sending or present)
                return self._storms[key]
        return None

    def mark_sent(self, key: str, now: float) -> None:
        """Take it that the alert on a storm was sent, or given up."""
        storm = self._storms[key]
        self._storms[key] = replace(
            storm, sent=storm.sending or storm.sent, sending=None, alerts=storm.alerts + 1, at=now
        )

    def _storm_of(self, kind: str, start: int, ready_at: float) -> Storm | None:
        for storm in self._storms.values():
            if storm.kind == kind and storm.holds(start):
                return storm
        starts = self._starts.get(kind, [])
        first = bisect_left(starts, start - _WINDOW // 2)
        end = bisect_right(starts, start + _WINDOW // 2)
        if end - first <= MOST_ALONE:
            return None
        return self._begin(Storm(kind, starts[first], ready_at=ready_at))

    def _begin(self, storm: Storm) -> Storm:
        """A new storm, with the open episodes that were sent alone."""
        self._storms[storm.key] = storm
        for name, one in list(self._sent.standings.items()):
            meter, _, episode = name.rpartition("/")
            is_one = one.kind == storm.kind and one.state is AlertState.OPENED and not one.storm
            if is_one and storm.holds(episode_start(episode)):
                self._add(storm.key, meter, Severity.LOW, one)
                self._sent.mark(name, replace(one, storm=storm.key))
        return self._storms[storm.key]

    def _add(self, key: str, meter: str, severity: str, standing: Standing) -> None:
        storm = self._storms[key]
        self._storms[key] = replace(
            storm,
            first=(*storm.first, meter)[:_FIRST_NAMES],
            severity=max(storm.severity, severity, key=lambda one: _ORDER.index(Severity(one))),
            members=storm.members + 1,
            over=storm.over + (standing.state is AlertState.CLOSED),
        )

    def _hold(self, key: str, ready_at: float, now: float) -> None:
        """Hold what is not sent yet of a storm as long as the alert that is counted next."""
        storm = self._storms.get(key)
        if storm is not None:
            self._storms[key] = replace(storm, ready_at=storm.held_until(ready_at, now))

    def _end_one(self, key: str) -> None:
        storm = self._storms.get(key)
        if storm is not None:
            self._storms[key] = replace(storm, over=storm.over + 1)


def _opens(standing: Standing, before: Standing | None) -> bool:
    """Whether an alert would report an episode for the first time."""
    return before is None or standing.times > before.times


def storm_alert(storm: Storm, meter: Meter) -> Alert:
    """The alert on a storm that is being sent.

    Args:
        storm: The storm, with `sending`.
        meter: The first meter; gives the local time.
    """
    members, over = storm.sending or storm.sent
    ended = "are over" if storm.kind == PEAK_WARNING else "are back"
    since = local_time(gap_name(storm.since), meter)
    if over == members:
        state, title = AlertState.CLOSED, f"all {_meters(storm, members, since)} {ended}"
    elif over:
        state = AlertState.UPDATED
        title = f"{over:,} of {_meters(storm, members, since)} {ended}"
    else:
        state = AlertState.UPDATED if storm.alerts else AlertState.OPENED
        title = f"{_meters(storm, members, since)} ({storm.severity})"
    names = ", ".join(storm.first)
    more = members - len(storm.first)
    return Alert(
        key=f"storm/{storm.key}:{storm.alerts + 1}",
        standing=Standing(state, kind=storm.kind, storm=storm.key),
        meter="",
        episode="",
        severity=storm.severity,
        title=title,
        text="\n".join(
            (
                f"Since {long_time(since)}.",
                f"Meters: {names} and {more:,} more." if more else f"Meters: {names}.",
                f"{members - over:,} of them are affected now. Each is on the topic `episode`.",
            )
        ),
        event={
            "kind": storm.kind,
            "start": since.isoformat(),
            "meters": members,
            "over": over,
            "first": list(storm.first),
        },
    )


def _meters(storm: Storm, members: int, since: datetime) -> str:
    what = SILENT if storm.kind in (SILENT, GAP) else f"with {storm.kind.replace('_', ' ')}"
    return f"{members:,} meters {what} since {since:%H:%M}"
