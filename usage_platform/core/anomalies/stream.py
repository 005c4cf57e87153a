"""Scoring a stream: what has to be told when some more readings have come.

Belongs here: the scorer's memory, all of it a function of the readings that were consumed and of
what was told. Not here: Kafka, files and transactions (`services.score`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from usage_platform.core.anomalies.anomaly import WITHDRAWN, no_anomalies, scored
from usage_platform.core.anomalies.episode_messages import (
    EpisodeEvent,
    ToldEpisodes,
    episode_events,
    withdrawn_episodes,
)
from usage_platform.core.anomalies.episodes import MERGED_NS, LastOdd
from usage_platform.core.anomalies.gap_messages import gap_events
from usage_platform.core.anomalies.published import ToldAnomalies
from usage_platform.core.detector.model_timeline import LOOK_BACK, ModelTimeline, score_series
from usage_platform.core.detector.stepwise.scorers import LiveJudges
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.series import ReadingHistory, Series

KEPT = pd.Timedelta(days=30)
"""Kept beyond what a reading needs: late readings of a month find their past in memory."""


@dataclass(frozen=True)
class ToTell:
    """What a batch of readings leads to.

    Attributes:
        anomalies: New, changed and withdrawn anomalies (`anomalies.ANOMALY_COLUMNS`).
        episodes: What is to be said of episodes.
        scored: Readings that a model judged by what it expects.
        learning: Readings for which there is too little history.
        repeated: Anomalies found again just as they were told.
    """

    anomalies: pd.DataFrame
    episodes: list[EpisodeEvent]
    scored: int
    learning: int
    repeated: int


@dataclass
class StreamMemory:
    """What a scorer remembers between two batches.

    Attributes:
        past: Reads a meter's consumed readings of a span from the lake: meter, first and last
            instant (ns since 1970 UTC) to the columns meter, event_time, value.
        history: The recent readings.
        told: The anomalies that stand.
        events: What was told of episodes.
        live: Judges the newest readings where they are few.
        floor: From when on readings were put into `history` at first, ns since 1970 UTC; None if
            all that was ever consumed is there.
        horizon: From when on a meter's readings are there, where it is another time.
    """

    past: Callable[[str, int, int], pd.DataFrame]
    history: ReadingHistory = field(default_factory=ReadingHistory)
    told: ToldAnomalies = field(default_factory=ToldAnomalies)
    events: ToldEpisodes = field(default_factory=ToldEpisodes)
    live: LiveJudges = field(default_factory=LiveJudges)
    floor: int | None = None
    horizon: dict[str, int] = field(default_factory=dict)

    def take(
        self, readings: pd.DataFrame, judges: ModelTimeline, registry: MeterRegistry
    ) -> ToTell:
        """Judge readings that have come, and again those that they change.

        Args:
            readings: meter, event_time (datetime64[ns, UTC]), value (kW).
            judges: What they are judged by.
            registry: The known meters.
        """
        before = {str(name): self.history.of(str(name)) for name in readings["meter"].unique()}
        changed = self.history.add(readings)
        parts = [
            self._take(registry.get(name), start, judges, before[name])
            for name, start in changed.items()
        ]
        told = [part.anomalies for part in parts if len(part.anomalies)]
        return ToTell(
            anomalies=pd.concat(told, ignore_index=True) if told else no_anomalies(),
            episodes=[event for part in parts for event in part.episodes],
            scored=sum(part.scored for part in parts),
            learning=sum(part.learning for part in parts),
            repeated=sum(part.repeated for part in parts),
        )

    def _take(self, meter: Meter, start: int, judges: ModelTimeline, before: Series) -> ToTell:
        self._reach_back(meter.name, start)
        series = self.history.of(meter.name)
        last = self.told.last_before(meter.name, start)
        judged = self.live.judge(meter.name, series, start, judges)
        if judged is None:
            judged = score_series(meter.name, series, start, judges)
        found = scored(meter, judged, len(series.since(start).instants), judges.labels, last)
        if found.anomalies.empty and self._is_quiet(meter, before, series, start, last):
            self._forget(meter.name, int(series.instants[-1]))
            return ToTell(found.anomalies, [], found.scored, found.learning, 0)
        names = set(self.told.episodes_since(meter.name, start)["episode"])
        names |= {gap.episode for gap in gap_events(before.instants, start, meter)}
        changes = self.told.changes(meter.name, start, found.anomalies)
        self.told.add(changes)
        newest = pd.Timestamp(series.instants[-1], tz="UTC")
        odd = self.told.episodes_since(meter.name, start)
        events = episode_events(odd, newest, meter)
        events += gap_events(series.instants, start, meter)
        gone = names - {event.episode for event in events}
        events += withdrawn_episodes(gone, newest, meter)
        new = self.events.untold(events)
        for event in new:
            self.events.add(event)
        self._forget(meter.name, int(series.instants[-1]))
        standing = int((changes["status"] != WITHDRAWN).sum())
        return ToTell(changes, new, found.scored, found.learning, len(found.anomalies) - standing)

    def _is_quiet(
        self, meter: Meter, before: Series, after: Series, start: int, last: LastOdd | None
    ) -> bool:
        """Whether readings without an anomaly leave nothing to be said of what was told before."""
        newest = before.instants[-1:]
        if not len(newest) or newest[0] >= start or self.told.reaches(meter.name, start):
            return False
        over = last is None or newest[0] >= last.at + MERGED_NS
        return bool(over) and not gap_events(after.instants, start, meter)

    def _reach_back(self, meter: str, start: int) -> None:
        """Have the past of a reading at hand, however late it comes."""
        needed = start - LOOK_BACK.value
        horizon = self.horizon.get(meter, self.floor)
        if horizon is None or needed >= horizon:
            return
        self.horizon[meter] = needed
        older = self.past(meter, needed, horizon)
        if older.empty:
            return
        known = pd.DataFrame(
            {
                "meter": meter,
                "event_time": pd.DatetimeIndex(self.history.of(meter).instants).tz_localize("UTC"),
                "value": self.history.of(meter).values,
            }
        )
        self.history.add(pd.concat([older, known], ignore_index=True))

    def _forget(self, meter: str, newest: int) -> None:
        """Let go of what is older than a late reading may need, a good piece at a time."""
        series = self.history.of(meter)
        kept = newest - (LOOK_BACK + KEPT).value
        if series.instants[0] < kept - KEPT.value:
            self.history.forget(meter, kept)
            self.horizon[meter] = kept
