"""Which messages on anomalies and episodes a scorer needs that holds a window of the past only.

Belongs here: choosing them while all messages pass by, without keeping the others. Not here:
reading the topics (`services.score_published`), what the scorer does with them (`stream`).

A message on an episode that reaches into the window is needed whatever its age, and so are the
anomalies of such an episode: they are published again, or withdrawn, as a whole.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pandas as pd

from usage_platform.core.anomalies.episode_messages import EpisodeEvent, EpisodeStatus
from usage_platform.core.anomalies.episodes import episode_start

Arrival = tuple[int, int, int]
"""Orders messages of several partitions: the broker's time, the offset, the partition."""

Window = Callable[[str], int | None]
"""From which instant on a meter's past is held, ns since 1970 UTC; None if it is not wanted."""


@dataclass(frozen=True)
class PublishedPast:
    """What was published of some meters.

    Attributes:
        anomalies: `ANOMALY_COLUMNS`, the oldest message first.
        episodes: The messages on episodes, the oldest first.
    """

    anomalies: pd.DataFrame
    episodes: list[EpisodeEvent]


class ScorerPast(Protocol):
    """Reads what a scorer no longer holds."""

    def readings(self, meter: str, first: int, end: int) -> pd.DataFrame:
        """A meter's consumed readings of a span: meter, event_time, value.

        Args:
            meter: The meter.
            first: The span's start, ns since 1970 UTC.
            end: One past its last instant.
        """
        ...

    def published(self, since: Mapping[str, int]) -> PublishedPast:
        """What was published of meters, each from an instant on, ns since 1970 UTC."""
        ...


@dataclass
class EpisodesInWindow:
    """Keeps the messages on episodes that are open, or that reach into a window.

    Where messages of an episode pass by after its end, as those of another partition may, they are
    kept as well: more than is needed, and nothing less.

    Attributes:
        window: From when on each meter's past is needed.
    """

    window: Window
    _kept: dict[tuple[str, str], list[tuple[Arrival, EpisodeEvent]]] = field(
        default_factory=dict[tuple[str, str], list[tuple[Arrival, EpisodeEvent]]]
    )
    # Meters and instants of anomalies before the window that are needed.
    _earlier: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])

    def add(self, arrival: Arrival, event: EpisodeEvent) -> None:
        """Take note of a message."""
        floor = self.window(event.meter)
        if floor is None:
            return
        key = event.meter, event.episode
        reach = episode_start(event.episode)
        if event.status is EpisodeStatus.CLOSED:
            reach = max(reach, event.at)
        has_ended = event.status in (EpisodeStatus.CLOSED, EpisodeStatus.WITHDRAWN)
        if not has_ended or reach >= floor:
            self._kept.setdefault(key, []).append((arrival, event))
            return
        later = [one for one in self._kept.pop(key, []) if one[0] > arrival]
        if later:
            self._kept[key] = later

    @property
    def earliest(self) -> int | None:
        """Start of the earliest episode that is needed, ns since 1970 UTC; None without one."""
        return min((episode_start(episode) for _, episode in self._kept), default=None)

    def events(self) -> list[EpisodeEvent]:
        """The messages that are needed, the oldest first."""
        kept = [one for messages in self._kept.values() for one in messages]
        return [event for _, event in sorted(kept, key=lambda one: one[0])]

    def needs(self, anomaly: Mapping[str, Any]) -> bool:
        """Whether an anomaly (a message by field) is needed, once all episodes were added.

        The messages of a meter have to be asked about in their order: one that replaces another one
        that was needed is needed too, whichever episode it now belongs to.
        """
        floor = self.window(anomaly["meter"])
        if floor is None:
            return False
        instant = pd.Timestamp(anomaly["ts"]).value
        if instant >= floor:
            return True
        # The first version of the platform named no episode: each anomaly is one of its own.
        key = anomaly["meter"], anomaly.get("episode") or ""
        if key not in self._kept and (anomaly["meter"], instant) not in self._earlier:
            return False
        self._earlier.add((anomaly["meter"], instant))
        return True
