"""Anomaly and episode messages formatted as lines, for people and for programs.

Belongs here: the format. Not here: which messages (`watch`), a table of them (`message_table`).
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.markup import escape

from usage_platform.core.anomalies.anomaly import PUBLISHED
from usage_platform.core.anomalies.episode_messages import EpisodeStatus
from usage_platform.core.anomalies.peak_messages import PEAK_WARNING

STYLES = {"low": "dim", "medium": "yellow", "high": "bold red"}
"""The style of each severity."""


def anomaly_line(anomaly: Mapping[str, Any]) -> str:
    """An anomaly as a line with rich markup: local time, meter, severity, explanation, score."""
    ts = datetime.fromisoformat(anomaly["ts"])
    said = anomaly["explanation"]
    if anomaly["status"] != PUBLISHED:
        said = f"{anomaly['status']}: {said}"
    return (
        f"{ts:%Y-%m-%d %H:%M %z}  {_meter(anomaly)} {_severity(anomaly)}  "
        f"{escape(said)}  score {anomaly['score']:.2f}"
    )


def episode_line(event: Mapping[str, Any]) -> str:
    """An episode message as a line with rich markup."""
    at = datetime.fromisoformat(event["at"])
    begun = f"{at:%Y-%m-%d %H:%M %z}  {_meter(event)} {event['status']:<9}"
    if event["status"] == EpisodeStatus.WITHDRAWN:
        return f"{begun} the episode {event['episode']} was withdrawn"
    if event["kind"] == PEAK_WARNING:
        return f"{begun} {_severity(event)}  peak warning: {escape(event['explanation'])}"
    start, end = (datetime.fromisoformat(event[name]) for name in ("start", "end"))
    excess = "" if event["excess_kwh"] is None else f", {event['excess_kwh']:+.0f} kWh"
    return (
        f"{begun} {_severity(event)}  since {start:%H:%M}, {(end - start).total_seconds() / 60:.0f}"
        f" min{excess}; at its peak: {escape(event['explanation'])}"
    )


def json_line(message: Mapping[str, Any]) -> str:
    """A message as one line of JSON."""
    return json.dumps(message, separators=(",", ":"))


def _meter(message: Mapping[str, Any]) -> str:
    # Pad before escaping: the escape characters take no room on the screen.
    return escape(f"{message['meter']:<20}")


def _severity(message: Mapping[str, Any]) -> str:
    severity = message["severity"]
    return f"[{STYLES[severity]}]{severity:<6}[/]"
