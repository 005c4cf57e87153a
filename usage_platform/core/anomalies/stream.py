"""Scoring a stream: what has to be published after a batch of readings.

Belongs here: the scorer's state, a function of the readings it consumed and of the messages it
published. Not here: Kafka, files and transactions (`services.score`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from usage_platform.core.anomalies.anomaly import (
    WITHDRAWN,
    ScoringResult,
    no_anomalies,
    scoring_result,
)
from usage_platform.core.anomalies.episode_messages import (
    EpisodeEvent,
    PublishedEpisodes,
    episode_events,
    withdrawn_episodes,
)
from usage_platform.core.anomalies.episodes import MERGED_NS, episode_start
from usage_platform.core.anomalies.gap_messages import (
    SILENT,
    gap_events,
    gap_name,
    reportable_gaps,
    silent_event,
)
from usage_platform.core.anomalies.published import PublishedAnomalies, PublishedSince
from usage_platform.core.anomalies.published_past import PublishedPast, ScorerPast
from usage_platform.core.anomalies.silence import SilenceWatch
from usage_platform.core.detector.model_timeline import LOOK_BACK, ModelTimeline, score_series
from usage_platform.core.detector.stepwise.scorers import StepwiseScorers
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.series import ReadingHistory, Series

RETENTION = pd.Timedelta(days=7)
"""Readings are held for so long beyond `LOOK_BACK`, or up to twice as long: one a week late finds
its past in memory; for a later one it is read again."""


@dataclass(frozen=True)
class StreamOutput:
    """What a batch of readings gives to publish, and its counts.

    Attributes:
        anomalies: New, changed and withdrawn anomalies (`ANOMALY_COLUMNS`).
        episodes: Messages on episodes and gaps, in the order in which to publish them.
        scored: Number of readings that have an expected range.
        learning: Number of readings with too little history.
        repeated: Number of anomalies that are as published before.
    """

    anomalies: pd.DataFrame
    episodes: list[EpisodeEvent]
    scored: int
    learning: int
    repeated: int


@dataclass
class ScorerState:
    """What a scorer holds between two batches.

    Attributes:
        past: Reads what is no longer held.
        history: The recent readings.
        published: The anomalies that stand, as far back as the readings.
        published_episodes: The messages on episodes that were published, as far back.
        silence: Watches for meters that deliver nothing any more.
        live: Scores the newest readings where they are few.
        floor: Start of the readings that `history` was filled with, ns since 1970 UTC; None if it
            holds all that was ever consumed.
        horizon: By meter, the start of its readings where it is not `floor`.
    """

    past: ScorerPast
    history: ReadingHistory = field(default_factory=ReadingHistory)
    published: PublishedAnomalies = field(default_factory=PublishedAnomalies)
    published_episodes: PublishedEpisodes = field(default_factory=PublishedEpisodes)
    silence: SilenceWatch = field(default_factory=SilenceWatch)
    live: StepwiseScorers = field(default_factory=StepwiseScorers)
    floor: int | None = None
    horizon: dict[str, int] = field(default_factory=dict[str, int])

    def add_published(self, event: EpisodeEvent) -> None:
        """Add a message on an episode that was published, in the order of the topic."""
        self.published_episodes.add(event)
        if event.kind == SILENT:
            self.silence.note_published(event.meter, episode_start(event.episode))

    def add_published_past(self, past: PublishedPast) -> None:
        """Add what was published before."""
        self.published.add(past.anomalies)
        for event in past.episodes:
            self.add_published(event)

    def report_silence(
        self,
        now: int,
        least: int,
        registry: MeterRegistry,
        played_to: Callable[[], Mapping[str, int]],
    ) -> list[EpisodeEvent]:
        """The messages on meters that have become silent; the arguments are those of its check."""
        found = self.silence.check(now, least, registry, played_to)
        for one in found:
            self.silence.note_published(one.meter, one.start)
        silences = [silent_event(one, registry.get(one.meter)) for one in found]
        events = self.published_episodes.unpublished(silences)
        for event in events:
            self.published_episodes.add(event)
        return events

    def process(
        self, readings: pd.DataFrame, timeline: ModelTimeline, registry: MeterRegistry
    ) -> StreamOutput:
        """Score new readings, and again the ones whose context they change.

        Args:
            readings: meter, event_time (datetime64[ns, UTC]), value (kW).
            timeline: The promoted models and the labels.
            registry: The known meters.
        """
        before = {str(name): self.history.of(str(name)) for name in readings["meter"].unique()}
        changed = self.history.add(readings)
        ended = {name: self._ended_silence(name, before[name]) for name in changed}
        # The reading before a long silence may lie before those in memory.
        starts = {name: min({start} | ended[name]) for name, start in changed.items()}
        for name, older in self._reach_back(starts).items():
            # What is looked up may hold the new readings, which were not there before.
            new = readings.loc[readings["meter"] == name, "event_time"]
            before[name] = before[name].with_earlier(older[~older["event_time"].isin(new)])
        parts = [
            self._process_meter(registry.get(name), start, timeline, before[name], ended[name])
            for name, start in changed.items()
        ]
        changes = [part.anomalies for part in parts if len(part.anomalies)]
        return StreamOutput(
            anomalies=pd.concat(changes, ignore_index=True) if changes else no_anomalies(),
            episodes=[event for part in parts for event in part.episodes],
            scored=sum(part.scored for part in parts),
            learning=sum(part.learning for part in parts),
            repeated=sum(part.repeated for part in parts),
        )

    def _process_meter(
        self,
        meter: Meter,
        start: int,
        timeline: ModelTimeline,
        before: Series,
        ended: set[int],
    ) -> StreamOutput:
        silent_from = self.silence.published(meter.name)
        series = self.history.of(meter.name)
        published = self.published.of(meter.name, start)
        found = self._found(meter, series, start, timeline, published)
        gaps = reportable_gaps(series.instants, start, meter, silent_from)
        newest = int(series.instants[-1])
        if found.anomalies.empty and not gaps and not ended and _is_quiet(published, before, start):
            self._forget(meter.name, newest)
            return StreamOutput(found.anomalies, [], found.scored, found.learning, 0)
        changes = published.changes(found.anomalies)
        self.published.add(changes)
        at = pd.Timestamp(newest, tz="UTC")
        events = episode_events(published.continued_by(found.anomalies), at, meter)
        events += gap_events(gaps, meter)
        names = published.episode_names()
        known_gaps = reportable_gaps(before.instants, start, meter, silent_from)
        names |= {gap_name(begin) for begin in ended | {gap.start for gap in known_gaps}}
        gone = self.published_episodes.standing(meter.name, names)
        gone -= {event.episode for event in events}
        events += withdrawn_episodes(gone, at, meter)
        new = self.published_episodes.unpublished(events)
        for event in new:
            self.published_episodes.add(event)
        self._forget(meter.name, newest)
        standing = int((changes["status"] != WITHDRAWN).sum())
        return StreamOutput(
            changes, new, found.scored, found.learning, len(found.anomalies) - standing
        )

    def _found(
        self,
        meter: Meter,
        series: Series,
        start: int,
        timeline: ModelTimeline,
        published: PublishedSince,
    ) -> ScoringResult:
        """The anomalies among a meter's readings from an instant on."""
        live = self.live.score(meter.name, series, start, timeline)
        if live is None:
            scored = score_series(meter.name, series, start, timeline)
        elif live.are_ordinary:
            return ScoringResult(no_anomalies(), len(live.rows) - live.learning, live.learning)
        else:
            scored = live.frame()
        count = len(series.since(start).instants)
        return scoring_result(meter, scored, count, timeline.labels, published.last)

    def _ended_silence(self, meter: str, before: Series) -> set[int]:
        """The start of the meter's silence that its new readings have ended; else nothing."""
        silent_from = self.silence.published(meter)
        if silent_from is None or not _is_back(silent_from, before, self.history.of(meter)):
            return set()
        return {silent_from}

    def _reach_back(self, starts: Mapping[str, int]) -> dict[str, pd.DataFrame]:
        """Read more of the past of meters whose late readings need it.

        Args:
            starts: From when on each meter is scored again, ns since 1970 UTC.

        Returns:
            What was read, by meter.
        """
        read: dict[str, pd.DataFrame] = {}
        needed: dict[str, int] = {}
        for meter, start in starts.items():
            since, horizon = start - LOOK_BACK.value, self.horizon.get(meter, self.floor)
            if horizon is not None and since < horizon:
                self.horizon[meter] = needed[meter] = since
                read[meter] = self.past.readings(meter, since, horizon)
                self.history.add_earlier(meter, read[meter])
        if needed:
            past = self.past.published(needed)
            anomalies, episodes = PublishedAnomalies(), PublishedEpisodes()
            anomalies.add(past.anomalies)
            for event in past.episodes:
                episodes.add(event)
            self.published.add_earlier(anomalies)
            self.published_episodes.add_earlier(episodes)
        return read

    def _forget(self, meter: str, newest: int) -> None:
        """Drop what lies beyond `RETENTION`, as many days or more at a time."""
        series = self.history.of(meter)
        kept = newest - (LOOK_BACK + RETENTION).value
        if series.instants[0] < kept - RETENTION.value:
            self.history.forget(meter, kept)
            self.horizon[meter] = kept
            names = self.published.forget(meter, kept)
            if (silent_from := self.silence.published(meter)) is not None:
                names.add(gap_name(silent_from))
            self.published_episodes.forget(meter, kept, names)


def _is_back(silent_from: int, before: Series, now: Series) -> bool:
    """Whether new readings end a silence: the first ones from its start on."""
    return len(now.since(silent_from).instants) > 0 == len(before.since(silent_from).instants)


def _is_quiet(published: PublishedSince, before: Series, start: int) -> bool:
    """Whether new readings without an anomaly or a gap change nothing that was published.

    Args:
        published: What was published, as seen from `start`.
        before: The readings before they came.
        start: The first of them, ns since 1970 UTC.
    """
    newest = before.instants[-1:]
    if not len(newest) or newest[0] >= start or published.rows:
        return False
    # Otherwise the last episode was open before this batch and may close now.
    return published.last is None or bool(newest[0] >= published.last.at + MERGED_NS)
