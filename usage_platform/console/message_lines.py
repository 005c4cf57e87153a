"""Messages on anomalies and episodes as lines, for people and for programs.

Belongs here: the words. Not here: which messages (`watch`), a table of them (`message_table`).
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.markup import escape

from usage_platform.core.anomalies.anomaly import PUBLISHED
from usage_platform.core.anomalies.episode_messages import EpisodeStatus

STYLES = {"low": "dim", "medium": "yellow", "high": "bold red"}
"""How each severity looks."""


def anomaly_line(anomaly: Mapping[str, Any]) -> str:
    """An anomaly for people, with rich's markup: local time, meter, severity, why, score."""
    ts = datetime.fromisoformat(anomaly["ts"])
    said = anomaly["explanation"]
    if anomaly["status"] != PUBLISHED:
        said = f"{anomaly['status']}: {said}"
    return (
        f"{ts:%Y-%m-%d %H:%M %z}  {_meter(anomaly)} {_severity(anomaly)}  "
        f"{escape(said)}  score {anomaly['score']:.2f}"
    )


def episode_line(event: Mapping[str, Any]) -> str:
    """A message on an episode for people, with rich's markup."""
    at = datetime.fromisoformat(event["at"])
    begun = f"{at:%Y-%m-%d %H:%M %z}  {_meter(event)} {event['status']:<9}"
    if event["status"] == EpisodeStatus.WITHDRAWN:
        return f"{begun} the episode of {event['episode']} is none after all"
    start, end = (datetime.fromisoformat(event[name]) for name in ("start", "end"))
    excess = "" if event["excess_kwh"] is None else f", {event['excess_kwh']:+.0f} kWh"
    return (
        f"{begun} {_severity(event)}  since {start:%H:%M}, {(end - start).total_seconds() / 60:.0f}"
        f" min{excess}; at its peak: {escape(event['explanation'])}"
    )


def json_line(message: Mapping[str, Any]) -> str:
    """A message for programs: one line of JSON."""
    return json.dumps(message, separators=(",", ":"))


def _meter(message: Mapping[str, Any]) -> str:
    # Filled up first: what escaping adds takes no room on the screen.
    return escape(f"{message['meter']:<20}")


def _severity(message: Mapping[str, Any]) -> str:
    severity = message["severity"]
    return f"[{STYLES[severity]}]{severity:<6}[/]"
