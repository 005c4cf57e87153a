"""Which messages on an episode people are alerted by, and in which words.

Belongs here: what is due after what was told, keys and texts. Not here: sending (`alert_sinks`),
trying again and what is kept of it (`alert_delivery`).

An episode gives at most three alerts: that it is there, that it is over, and that it was none after
all. If late readings bring a withdrawn episode back, it is told anew, with a number in its keys.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from usage_platform.core.anomalies.episode_messages import EpisodeStatus
from usage_platform.core.meters import Meter

MOST_REMEMBERED = 2000
"""Episodes of which it is known what was told; older ones are forgotten."""


class Severity(StrEnum):
    """How bad an episode is, the least one first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


_ORDER = list(Severity)


class AlertState(StrEnum):
    """What an alert tells of an episode; `test` of none."""

    OPENED = "opened"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    TEST = "test"


@dataclass(frozen=True)
class Standing:
    """What was told last of an episode.

    Attributes:
        state: The last alert's state.
        times: How often it was told from its beginning: more than once if it was withdrawn and
            came back.
    """

    state: AlertState
    times: int = 1


@dataclass(frozen=True)
class Alert:
    """One alert for people and programs.

    Attributes:
        key: The same alert always has the same key: `meter/episode:state`.
        standing: What is told of the episode once this has been sent.
        meter: The meter's name.
        episode: The episode's name.
        severity: In words; empty where it is not known any more.
        title: One line for people.
        text: Some lines for people, times in the building's local time.
        event: The message on the episode as it came.
    """

    key: str
    standing: Standing
    meter: str
    episode: str
    severity: str
    title: str
    text: str
    event: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """What programs get."""
        return {
            "id": self.key,
            "state": self.standing.state.value,
            "meter": self.meter,
            "episode": self.episode,
            "severity": self.severity,
            "title": self.title,
            "text": self.text,
            "event": dict(self.event),
        }


class DeliveryError(Exception):
    """An alert did not arrive; the reason, in one line, holds no secret.

    Args:
        reason: What happened.
        lasting: Another try would end alike.
    """

    def __init__(self, reason: str, lasting: bool = False) -> None:
        super().__init__(reason)
        self.lasting = lasting


class AlertSink(Protocol):
    """Somewhere alerts go to."""

    @property
    def name(self) -> str:
        """What it is called in settings, logs and consumer groups."""
        ...

    def deliver(self, alert: Alert, now: datetime) -> None:
        """Send an alert and wait until it was taken.

        Args:
            alert: The alert.
            now: The current time, with a zone.

        Raises:
            DeliveryError: When it was not taken.
        """
        ...


class SentAlerts:
    """What one sink was told of each episode; a function of the alerts that were sent."""

    def __init__(self, standings: Mapping[str, Standing] | None = None) -> None:
        self._standings = dict(standings or {})

    @property
    def standings(self) -> dict[str, Standing]:
        """By `meter/episode`, that told last at the end."""
        return dict(self._standings)

    def due(self, event: Mapping[str, Any], least: Severity, meter: Meter) -> Alert | None:
        """The alert that a message on an episode gives rise to.

        Args:
            event: A message of the topic `episode`.
            least: Episodes below it are not told; one that gets as bad later is told then.
            meter: Gives the local time.
        """
        before = self._standings.get(_name(event))
        standing = _next(EpisodeStatus(event["status"]), _is_bad_enough(event, least), before)
        return None if standing is None else _alert(event, standing, meter)

    def mark(self, alert: Alert) -> None:
        """Take it that an alert was told, or given up."""
        name = _name({"meter": alert.meter, "episode": alert.episode})
        self._standings.pop(name, None)
        self._standings[name] = alert.standing
        for oldest in list(self._standings)[:-MOST_REMEMBERED]:
            del self._standings[oldest]


def _name(event: Mapping[str, Any]) -> str:
    return f"{event['meter']}/{event['episode']}"


def _is_bad_enough(event: Mapping[str, Any], least: Severity) -> bool:
    said = event.get("severity")
    return said is not None and _ORDER.index(Severity(said)) >= _ORDER.index(least)


def _next(status: EpisodeStatus, bad_enough: bool, before: Standing | None) -> Standing | None:
    if before is None or before.state is AlertState.WITHDRAWN:
        if status is EpisodeStatus.WITHDRAWN or not bad_enough:
            return None
        is_over = status is EpisodeStatus.CLOSED
        times = 1 if before is None else before.times + 1
        return Standing(AlertState.CLOSED if is_over else AlertState.OPENED, times)
    if status is EpisodeStatus.WITHDRAWN:
        return Standing(AlertState.WITHDRAWN, before.times)
    if status is EpisodeStatus.CLOSED and before.state is AlertState.OPENED:
        return Standing(AlertState.CLOSED, before.times)
    return None


def _alert(event: Mapping[str, Any], standing: Standing, meter: Meter) -> Alert:
    again = f":{standing.times}" if standing.times > 1 else ""
    words = {
        AlertState.OPENED: _opened,
        AlertState.CLOSED: _closed,
        AlertState.WITHDRAWN: _withdrawn,
    }[standing.state]
    title, lines = words(event, meter)
    return Alert(
        key=f"{_name(event)}:{standing.state}{again}",
        standing=standing,
        meter=meter.name,
        episode=event["episode"],
        severity=event.get("severity") or "",
        title=f"{meter.name}: {title}",
        text="\n".join(lines),
        event=event,
    )


def _opened(event: Mapping[str, Any], meter: Meter) -> tuple[str, Iterable[str]]:
    start = _local(event["start"], meter)
    title = f"{_kind(event)} since {start:%H:%M} ({event['severity']})"
    return title, (f"Since {_long(start)}.", _sentence(event), *_energy(event, " so far"))


def _closed(event: Mapping[str, Any], meter: Meter) -> tuple[str, Iterable[str]]:
    start, end = _local(event["start"], meter), _local(event["end"], meter)
    title = f"{_kind(event)} is over after {_duration(start, end)} ({event['severity']})"
    return title, (f"From {_long(start)} to {_long(end)}.", _sentence(event), *_energy(event, ""))


def _withdrawn(event: Mapping[str, Any], meter: Meter) -> tuple[str, Iterable[str]]:
    start = _local(event["episode"], meter)
    line = "Late or corrected readings show that it was none: there is nothing to do."
    return f"false alarm of {start:%Y-%m-%d %H:%M} withdrawn", (line, f"It began {_long(start)}.")


def _local(text: str, meter: Meter) -> datetime:
    return datetime.fromisoformat(text).astimezone(meter.zone)


def _long(at: datetime) -> str:
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M %Z}"


def _kind(event: Mapping[str, Any]) -> str:
    return str(event["kind"]).replace("_", " ")


def _sentence(event: Mapping[str, Any]) -> str:
    said = str(event["explanation"])
    return f"{said[:1].upper()}{said[1:]}."


def _energy(event: Mapping[str, Any], until: str) -> list[str]:
    excess = event.get("excess_kwh")
    return [] if excess is None else [f"Against what was expected: {excess:+,.0f} kWh{until}."]


def _duration(start: datetime, end: datetime) -> str:
    # Two times of one zone would be subtracted as clocks show them, the change left out.
    span = end.astimezone(UTC) - start.astimezone(UTC)
    hours, minutes = divmod(round(span.total_seconds() / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def trial_alert(meter: Meter, now: datetime) -> Alert:
    """An alert that tells of no episode, to see whether alerts arrive.

    Args:
        meter: The meter that it names.
        now: The current time, with a zone.
    """
    at = now.astimezone(meter.zone)
    return Alert(
        key=f"test:{now.isoformat()}",
        standing=Standing(AlertState.TEST),
        meter=meter.name,
        episode="",
        severity="",
        title=f"{meter.name}: a test of the alerts",
        text=f"Sent {_long(at)} by hand. Nothing is wrong; alerts arrive here.",
        event={},
    )
