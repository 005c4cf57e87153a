"""Which messages on anomalies and episodes somebody wants to see.

Belongs here: the requests, and following what was shown. Not here: reading the topics (adapters),
showing them (`console`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from usage_platform.core.alerts.alert import Severity

MOST_REMEMBERED = 50_000
"""Anomalies and episodes of which it is known whether they were shown; older ones are forgotten."""

_ORDER = list(Severity)

Subject = tuple[str, str]
"""What messages are about: the meter, and the anomaly's id or the episode's name."""


def subject_of(message: Mapping[str, Any]) -> Subject:
    """What a message is about."""
    return message["meter"], message.get("anomaly_id") or message["episode"]


def time_of(message: Mapping[str, Any]) -> datetime:
    """When what a message tells came to pass: the reading's time, in the building's local time."""
    return datetime.fromisoformat(message.get("ts") or message["at"])


@dataclass(frozen=True)
class Wanted:
    """What somebody wants to see.

    Attributes:
        meters: Their names; none for all.
        least: The least severity.
        since: The first instant, with a zone; None for all.
    """

    meters: frozenset[str] = frozenset()
    least: Severity = Severity.LOW
    since: datetime | None = None

    def fits(self, message: Mapping[str, Any]) -> bool:
        """Whether a message by itself is wanted; where it tells no severity, any one is."""
        severity = message.get("severity", Severity.HIGH)
        return (
            (not self.meters or message["meter"] in self.meters)
            and _ORDER.index(Severity(severity)) >= _ORDER.index(self.least)
            and (self.since is None or time_of(message) >= self.since)
        )


class MessageFilter:
    """Lets through what is wanted, and from then on all that is told of it.

    So whoever has seen an anomaly also sees that it is a lesser one by now, or none. A withdrawn
    episode tells no severity any more: it is let through if the episode was, or if nothing was
    heard of it before.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._shown: dict[Subject, bool] = {}

    def takes(self, message: Mapping[str, Any]) -> bool:
        """Whether the next message is to be shown."""
        subject = subject_of(message)
        before = self._shown.pop(subject, None)
        tells_enough = "severity" in message or before is None
        shown = bool(before) or (tells_enough and self._wanted.fits(message))
        self._shown[subject] = shown
        if len(self._shown) > MOST_REMEMBERED:
            del self._shown[next(iter(self._shown))]
        return shown
