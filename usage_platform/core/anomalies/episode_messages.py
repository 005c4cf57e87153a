"""The life of an episode as messages: opened, updated each hour, closed, withdrawn.

Belongs here: when a message on an episode is published, and its content. The messages are a
function of the anomalies and of the meter's newest reading, whatever the batches. Not here: which
anomalies make one episode (`episodes`), its figures (`episode_summary`).

The last message of an episode is its present state: late and corrected readings may change, close
or withdraw what was published before, and bring a withdrawn episode back. No two messages have the
same `event_id`, so that a consumer may drop the ones whose id it has seen.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from usage_platform.core.anomalies.anomaly import records, unit_field
from usage_platform.core.anomalies.episode_summary import running_summary
from usage_platform.core.anomalies.episodes import MERGED_MINUTES, episode_start
from usage_platform.core.meters import Meter

_MERGED = pd.Timedelta(minutes=MERGED_MINUTES)
_HOUR = pd.Timedelta(hours=1)
_NUMBER = ":"


class EpisodeStatus(StrEnum):
    """The state of an episode."""

    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class EpisodeEvent:
    """One message of the topic `episode`.

    Attributes:
        event_id: Identifies the message: 16 hex digits that are a function of its content, followed
            by `:2` and so on where the episode comes back to a state that was published before.
        meter: The meter, the message's key.
        episode: The episode's name.
        status: The episode's state.
        value: The message, JSON in UTF-8.
        at: When it came to that state, in event time, ns since 1970 UTC.
        kind: The episode's kind; empty for a withdrawal.
    """

    event_id: str
    meter: str
    episode: str
    status: EpisodeStatus
    value: bytes
    at: int
    kind: str = ""

    @property
    def state_id(self) -> str:
        """Identifies the state that the message describes: its id without the number."""
        return self.event_id.partition(_NUMBER)[0]

    def numbered(self, number: int) -> "EpisodeEvent":
        """The message as the one that describes this state for the n-th time, from 1."""
        if number == 1:
            return self
        event_id = f"{self.state_id}{_NUMBER}{number}"
        value = _json({**json.loads(self.value), "event_id": event_id})
        return replace(self, event_id=event_id, value=value)


@dataclass
class _Published:
    """The messages on one episode that were published.

    Attributes:
        standing: The states since its last withdrawal, in their order.
        times: How often each state was published, withdrawals too.
    """

    standing: list[str] = field(default_factory=list[str])
    times: Counter[str] = field(default_factory=Counter[str])

    def add(self, event: EpisodeEvent) -> None:
        self.times[event.state_id] += 1
        if event.status is EpisodeStatus.WITHDRAWN:
            self.standing.clear()
        else:
            self.standing.append(event.state_id)


@dataclass
class PublishedEpisodes:
    """The messages on episodes that were published, in their order."""

    _by_meter: dict[str, dict[str, _Published]] = field(
        default_factory=dict[str, dict[str, _Published]]
    )

    def add(self, event: EpisodeEvent) -> None:
        """Add a message that was published.

        After a withdrawal the episode is as one on which nothing was published, but for the ids of
        further messages.
        """
        episodes = self._by_meter.setdefault(event.meter, {})
        episodes.setdefault(event.episode, _Published()).add(event)

    def standing(self, meter: str, names: Container[str]) -> set[str]:
        """Those of some episodes of a meter that were published and not withdrawn."""
        episodes = self._by_meter.get(meter, {})
        return {name for name, one in episodes.items() if one.standing and name in names}

    def add_earlier(self, other: "PublishedEpisodes") -> None:
        """Add the messages on episodes that were forgotten; those on others are known."""
        for meter, episodes in other._by_meter.items():
            self._by_meter[meter] = episodes | self._by_meter.get(meter, {})

    def forget(self, meter: str, before: int, kept: Container[str]) -> None:
        """Drop the messages on a meter's episodes that start before an instant.

        Args:
            meter: The meter.
            before: The instant, ns since 1970 UTC.
            kept: Names of episodes that are kept.
        """
        episodes = self._by_meter.pop(meter, {})
        left = {
            name: one
            for name, one in episodes.items()
            if name in kept or episode_start(name) >= before
        }
        if left:
            self._by_meter[meter] = left

    def unpublished(self, events: list[EpisodeEvent]) -> list[EpisodeEvent]:
        """The messages that were not published; an episode's last message comes last again.

        Args:
            events: All messages on some episodes up to now, one episode after the other.
        """
        unpublished: list[EpisodeEvent] = []
        for key, group in groupby(events, lambda event: (event.meter, event.episode)):
            meter, episode = key
            due = list(group)
            published = self._by_meter.get(meter, {}).get(episode, _Published())
            new = [event for event in due if event.state_id not in published.standing]
            newest = new[-1].state_id if new else published.standing[-1]
            if newest != due[-1].state_id:
                new.append(due[-1])
            unpublished += [one.numbered(published.times[one.state_id] + 1) for one in new]
        return unpublished


def episode_events(
    anomalies: pd.DataFrame, newest: pd.Timestamp, meter: Meter
) -> list[EpisodeEvent]:
    """All messages on a meter's episodes up to now.

    Args:
        anomalies: `ANOMALY_COLUMNS`, by time; whole episodes, none withdrawn.
        newest: The meter's newest reading.
        meter: The meter.
    """
    return [
        episode_event(content, status, at, meter)
        for _, rows in anomalies.groupby("episode", sort=False)
        for status, at, content in _life(rows, newest, meter)
    ]


def withdrawn_episodes(names: set[str], at: pd.Timestamp, meter: Meter) -> list[EpisodeEvent]:
    """The messages on episodes without an anomalous reading any more."""
    return [
        episode_event({"episode": name}, EpisodeStatus.WITHDRAWN, at, meter)
        for name in sorted(names)
    ]


def _life(
    rows: pd.DataFrame, newest: pd.Timestamp, meter: Meter
) -> Iterator[tuple[EpisodeStatus, pd.Timestamp, dict[str, Any]]]:
    """The messages of one episode: their status, time and content."""
    moments = list(_moments(rows.loc[:, "event_time"], newest))
    summary = running_summary(rows, np.array([count for _, _, count in moments]), meter)
    peaks = summary.pop("peak").to_numpy(np.int64)
    for name in ("explanation", "model_version"):
        summary[name] = rows[name].to_numpy()[peaks]
    for (status, at, _), content in zip(moments, records(summary), strict=True):
        yield status, at, content


def _moments(
    times: pd.Series, newest: pd.Timestamp
) -> Iterator[tuple[EpisodeStatus, pd.Timestamp, int]]:
    """When each message is due, and how many anomalous readings the episode has by then."""
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
    content: dict[str, Any], status: EpisodeStatus, at: pd.Timestamp, meter: Meter
) -> EpisodeEvent:
    """One message.

    Args:
        content: The message's other fields; `episode` is the episode's name.
        status: The episode's state.
        at: When it came to that state, in event time.
        meter: The meter.
    """
    own = {"meter": meter.name, "status": status.value, "at": at}
    message = {**own, **content, **unit_field(meter)}
    plain = {name: _plain(value, meter) for name, value in message.items()}
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]
    value = _json({"event_id": digest, **plain})
    kind = str(content.get("kind", ""))
    return EpisodeEvent(digest, meter.name, str(content["episode"]), status, value, at.value, kind)


def _json(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


def _plain(value: object, meter: Meter) -> object:
    """A value for JSON: times in local time with their offset, null for NaN."""
    if isinstance(value, pd.Timestamp):
        return value.tz_convert(meter.zone).isoformat()
    if isinstance(value, float) and value != value:
        return None
    return value.item() if hasattr(value, "item") else value  # type: ignore[union-attr]
