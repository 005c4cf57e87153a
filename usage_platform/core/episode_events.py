"""The life of an episode as messages: opened, updated each hour, closed; one alert each.

Belongs here: what is told of an episode and when. The messages are a function of the anomalies and
of how far the meter's readings have come, whatever the batches. Not here: which anomalies make one
episode (`detector.episodes`).
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pandas as pd

from usage_platform.core.detector.episodes import MERGED_MINUTES, episodes
from usage_platform.core.meters import Meter

_MERGED = pd.Timedelta(minutes=MERGED_MINUTES)
_HOUR = pd.Timedelta(hours=1)


class EpisodeStatus(StrEnum):
    """Where an episode is in its life."""

    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class EpisodeEvent:
    """One message of the topic `episode`.

    Attributes:
        event_id: The same event always has the same id; 16 hex digits.
        meter: The meter, the message's key.
        value: The message, JSON in UTF-8.
    """

    event_id: str
    meter: str
    value: bytes


def episode_events(odd: pd.DataFrame, newest: pd.Timestamp, meter: Meter) -> list[EpisodeEvent]:
    """Everything there is to tell of a meter's episodes by now.

    Args:
        odd: `anomalies.ANOMALY_COLUMNS`, by time; whole episodes.
        newest: The meter's newest reading.
        meter: The meter.
    """
    return [
        _event(row, status, at, meter)
        for _, rows in odd.groupby("episode", sort=False)
        for status, at, part in _moments(rows, newest)
        for row in [_summary(part, meter)]
    ]


def withdrawn_episodes(names: set[str], at: pd.Timestamp, meter: Meter) -> list[EpisodeEvent]:
    """What is told of episodes of which no reading is odd any more."""
    return [_event({"episode": name}, EpisodeStatus.WITHDRAWN, at, meter) for name in sorted(names)]


def event_id_of(value: bytes) -> str:
    """The id of a message of the topic `episode`."""
    return str(json.loads(value)["event_id"])


def _moments(
    rows: pd.DataFrame, newest: pd.Timestamp
) -> Iterator[tuple[EpisodeStatus, pd.Timestamp, pd.DataFrame]]:
    times = rows["event_time"]
    first, last = times.iloc[0], times.iloc[-1]
    yield EpisodeStatus.OPENED, first, rows.iloc[:1]
    at = first + _HOUR
    while at <= min(last, newest):
        if ((times >= at - _HOUR) & (times < at)).any():
            yield EpisodeStatus.UPDATED, at, rows[times < at]
        at += _HOUR
    if newest >= last + _MERGED:
        yield EpisodeStatus.CLOSED, last + _MERGED, rows


def _summary(rows: pd.DataFrame, meter: Meter) -> dict[str, Any]:
    judged = rows.rename(columns={"event_time": "ts", "usage": "value"})
    found = episodes(judged, meter).to_dict("records")[0]
    peak = rows.iloc[int(rows["score"].to_numpy().argmax())]
    return {
        **{str(name): value for name, value in found.items()},
        "explanation": peak["explanation"],
        "model_version": peak["model_version"],
    }


def _event(
    said: dict[str, Any], status: EpisodeStatus, at: pd.Timestamp, meter: Meter
) -> EpisodeEvent:
    told = {"meter": meter.name, "status": status.value, "at": at, **said}
    plain = {name: _plain(value, meter) for name, value in told.items()}
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]
    value = json.dumps({"event_id": digest, **plain}, separators=(",", ":")).encode()
    return EpisodeEvent(digest, meter.name, value)


def _plain(value: object, meter: Meter) -> object:
    """As JSON has it: local times with their offset, nothing for an unknown number."""
    if isinstance(value, pd.Timestamp):
        return value.tz_convert(meter.zone).isoformat()
    if isinstance(value, float) and value != value:
        return None
    return value.item() if hasattr(value, "item") else value  # type: ignore[union-attr]
