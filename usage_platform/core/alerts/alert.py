"""An alert: what people and programs get, and where it can be sent.

Belongs here: alerts and sinks as values. Not here: which alert is due (`sent_alerts`, `storms`),
its words (`alert_texts`), sending (`adapters.alert_sinks`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class Severity(StrEnum):
    """How bad an episode is, the least one first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class AlertState(StrEnum):
    """What an alert tells of an episode; `updated` of many at once only, `test` of none.

    `digest` is that of several alerts that were held.
    """

    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    DIGEST = "digest"
    TEST = "test"


@dataclass(frozen=True)
class Standing:
    """The last alert on an episode that a sink was sent.

    Attributes:
        state: The last alert's state.
        times: How often it was reported from its beginning: more than once if it was withdrawn and
            came back.
        kind: The episode's kind when it was reported first.
        at: When it was reported last, seconds since 1970; 0 if that is not known.
        storm: Key of the storm that it is a part of; empty for none.
        route: Name of the route that sent it; empty for none.
    """

    state: AlertState
    times: int = 1
    kind: str = ""
    at: float = 0.0
    storm: str = ""
    route: str = ""


@dataclass(frozen=True)
class Alert:
    """One alert for people and programs.

    Attributes:
        key: The same alert always has the same key: `meter/episode:state`.
        standing: The episode's standing once this has been sent.
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
