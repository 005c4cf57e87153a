"""The life of an episode as messages: opened, updated each hour, closed; one alert each.

Belongs here: what is told of an episode and when. The messages are a function of the anomalies and
of how far the meter's readings have come, whatever the batches. Not here: which anomalies make one
episode (`detector.episodes`).

The last message of an episode says how it stands: late and corrected readings may change, end or
withdraw what was told, and bring it back.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from usage_platform.core.anomalies.anomaly import records
from usage_platform.core.anomalies.episode_summary import running_summary
from usage_platform.core.anomalies.episodes import MERGED_MINUTES
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
        episode: The episode's name.
        status: Where it is in its life.
        value: The message, JSON in UTF-8.
    """

    event_id: str
    meter: str
    episode: str
    status: EpisodeStatus
    value: bytes


@dataclass
class PublishedEpisodes:
    """What was told of episodes; a function of the messages in their order."""

    _ids: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def add(self, event: EpisodeEvent) -> None:
        """Take a message that was told.

        After a withdrawal, what was told of the episode before counts no more.
        """
        key = event.meter, event.episode
        before = [] if event.status is EpisodeStatus.WITHDRAWN else self._ids.get(key, [])
        self._ids[key] = [*before, event.event_id]

    def unpublished(self, events: list[EpisodeEvent]) -> list[EpisodeEvent]:
        """What is new of all there is to tell; the last message of an episode comes last again.

        Args:
            events: All there is to tell of some episodes by now, one episode after the other.
        """
        told: list[EpisodeEvent] = []
        for key, group in groupby(events, lambda event: (event.meter, event.episode)):
            own, ids = list(group), self._ids.get(key, [])
            new = [event for event in own if event.event_id not in ids]
            newest = new[-1].event_id if new else ids[-1]
            told += new if newest == own[-1].event_id else [*new, own[-1]]
        return told


def episode_events(odd: pd.DataFrame, newest: pd.Timestamp, meter: Meter) -> list[EpisodeEvent]:
    """Everything there is to tell of a meter's episodes by now.

    Args:
        odd: `anomalies.ANOMALY_COLUMNS`, by time; whole episodes.
        newest: The meter's newest reading.
        meter: The meter.
    """
    return [
        episode_event(said, status, at, meter)
        for _, rows in odd.groupby("episode", sort=False)
        for status, at, said in _life(rows, newest, meter)
    ]


def withdrawn_episodes(names: set[str], at: pd.Timestamp, meter: Meter) -> list[EpisodeEvent]:
    """What is told of episodes of which no reading is odd any more."""
    return [
        episode_event({"episode": name}, EpisodeStatus.WITHDRAWN, at, meter)
        for name in sorted(names)
    ]


def parse_event(value: bytes) -> EpisodeEvent:
    """A message of the topic `episode`; only this platform writes them, so none is judged."""
    said = json.loads(value)
    status = EpisodeStatus(said["status"])
    return EpisodeEvent(said["event_id"], said["meter"], said["episode"], status, value)


def _life(
    rows: pd.DataFrame, newest: pd.Timestamp, meter: Meter
) -> Iterator[tuple[EpisodeStatus, pd.Timestamp, dict[str, Any]]]:
    """The messages of one episode: their status, time and content."""
    moments = list(_moments(rows.loc[:, "event_time"], newest))
    found = running_summary(rows, np.array([count for _, _, count in moments]), meter)
    peaks = rows.iloc[found.pop("peak").to_numpy()]
    found["explanation"] = peaks["explanation"].to_numpy()
    found["model_version"] = peaks["model_version"].to_numpy()
    for (status, at, _), said in zip(moments, records(found), strict=True):
        yield status, at, said


def _moments(
    times: pd.Series, newest: pd.Timestamp
) -> Iterator[tuple[EpisodeStatus, pd.Timestamp, int]]:
    """When something is told of an episode, and how many odd readings it has by then."""
    first, last = times.iloc[0], times.iloc[-1]
    yield EpisodeStatus.OPENED, first, 1
    hours = pd.date_range(first + _HOUR, min(last, newest), freq=_HOUR)
    before = 0
    for at, count in zip(hours, times.searchsorted(hours), strict=True):
        if count > before:
            yield EpisodeStatus.UPDATED, at, int(count)
        before = count
    if newest >= last + _MERGED:
        yield EpisodeStatus.CLOSED, last + _MERGED, len(times)


def episode_event(
    said: dict[str, Any], status: EpisodeStatus, at: pd.Timestamp, meter: Meter
) -> EpisodeEvent:
    """One message; `said` is what is told of the episode, `episode` its name."""
    told = {"meter": meter.name, "status": status.value, "at": at, **said}
    plain = {name: _plain(value, meter) for name, value in told.items()}
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]
    value = json.dumps({"event_id": digest, **plain}, separators=(",", ":")).encode()
    return EpisodeEvent(digest, meter.name, str(said["episode"]), status, value)


def _plain(value: object, meter: Meter) -> object:
    """As JSON has it: local times with their offset, nothing for an unknown number."""
    if isinstance(value, pd.Timestamp):
        return value.tz_convert(meter.zone).isoformat()
    if isinstance(value, float) and value != value:
        return None
    return value.item() if hasattr(value, "item") else value  # type: ignore[union-attr]
