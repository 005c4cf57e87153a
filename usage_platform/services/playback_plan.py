"""What is left to play: the loaded source within its limits, minus what the topic already holds.

Belongs here: which readings of the loaded source are played, which remain, and from when on they
are paced. Not here: publishing them (`play`), what counts as played (`playback_progress`).
"""

from dataclasses import dataclass, replace
from datetime import date

import pandas as pd

from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.adapters.stores.playback_record import PlaybackRecords
from usage_platform.adapters.stores.source_cache import SourceCache
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.pacing import AS_FAST_AS_POSSIBLE, Pace, remaining, to_play
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.services.playback_progress import (
    Played,
    SourceIdentity,
    keep_end,
    look_up,
    remembered,
)


@dataclass(frozen=True)
class PlaybackPlan:
    """The part of a source that is played.

    Attributes:
        cache: The loaded source.
        records: How far each source was played.
        identity: Identifies the source that is to be played; a cache that holds another content
            must be loaded first.
        zone: IANA name of the zone in which `first_day` is a day.
        first_day: Readings before this local day are not played; None for all.
        max_iterations: At most so many readings are played, over all runs; None for all.
    """

    cache: SourceCache
    records: PlaybackRecords
    identity: SourceIdentity
    zone: str
    first_day: date | None = None
    max_iterations: int | None = None

    @property
    def is_loaded(self) -> bool:
        """Whether the cache holds this source."""
        summary = self.cache.summary()
        return summary is not None and summary.source == self.identity.version

    def readings(self) -> pd.DataFrame:
        """All readings that are played, over all runs.

        Returns:
            `meter`, `ts` (datetime64[ns, UTC]), `value`; sorted by ts, then meter.

        Raises:
            FileNotFoundError: Before the first load.
        """
        return to_play(self.cache.readings(), self._start, self.max_iterations)

    def count(self) -> int:
        """How many `readings` there are, without reading them.

        Raises:
            FileNotFoundError: Before the first load.
        """
        there = self.cache.count(self._start)
        return there if self.max_iterations is None else min(there, self.max_iterations)

    def played(self, loaded: pd.DataFrame, kafka: KafkaSettings, registry: MeterRegistry) -> Played:
        """What of it was played already; called under the lease on playback.

        Args:
            loaded: What the cache holds.
            kafka: The brokers.
            registry: The known meters.

        Raises:
            KafkaUnreachableError: When no broker answers.
        """
        return look_up(self.records, kafka, self._loaded_identity, loaded, registry)

    def remaining(self, loaded: pd.DataFrame, played: Played) -> pd.DataFrame:
        """The readings that are still to be played.

        Args:
            loaded: What the cache holds.
            played: What was played already.

        Returns:
            As `readings`.
        """
        return remaining(loaded, played.last, self._start, self.max_iterations)

    def keep_end(self, loaded: pd.DataFrame, played: Played, kafka: KafkaSettings) -> None:
        """Remember that a run has ended and the topic has all that remained.

        Args:
            loaded: What the cache holds.
            played: What was played before the run.
            kafka: The brokers.
        """
        newest = self.remaining(loaded, played).groupby("meter")["ts"].max()
        last = played.last | {str(meter): ts for meter, ts in newest.items()}
        keep_end(self.records, kafka, self._loaded_identity, loaded, replace(played, last=last))

    def is_exhausted(self, kafka: KafkaSettings) -> bool:
        """Whether all of it was played. A source that is not loaded is not exhausted.

        The record alone is asked: this costs the same however long the topic is.

        Raises:
            KafkaUnreachableError: When no broker answers.
        """
        if not self.is_loaded:
            return False
        played = remembered(self.records, kafka, self.identity)
        return all(meter in played and played[meter] >= ts for meter, ts in self._last().items())

    def ends(self) -> dict[str, int]:
        """Each meter's newest reading that is played, ns since 1970 UTC; none if not loaded."""
        last = self._last() if self.is_loaded else {}
        return {meter: ts.value for meter, ts in last.items()}

    def pace(
        self, loaded: pd.DataFrame, step_minutes: int, accelerator: float, history_days: int
    ) -> Pace:
        """How fast the readings are played.

        Args:
            loaded: What the cache holds.
            step_minutes: Event time between two steps.
            accelerator: How much faster than event time; 0 for as fast as the broker accepts them.
            history_days: Days at the start that are played without waiting.
        """
        first = loaded["ts"].iloc[0] if len(loaded) else None
        if first is not None and self._start is not None:
            first = max(first, self._start)
        return Pace(
            step_minutes=step_minutes,
            accelerator=accelerator or AS_FAST_AS_POSSIBLE,
            history_until=None if first is None else first + pd.Timedelta(days=history_days),
        )

    @property
    def _loaded_identity(self) -> SourceIdentity:
        """That of the loaded content; the source itself may have changed since."""
        summary = self.cache.summary()
        version = self.identity.version if summary is None else summary.source
        return replace(self.identity, version=version)

    @property
    def _start(self) -> pd.Timestamp | None:
        return None if self.first_day is None else local_day_bounds(self.first_day, self.zone)[0]

    def _last(self) -> dict[str, pd.Timestamp]:
        """Each meter's newest reading that is played."""
        summary = self.cache.summary()
        if summary is not None and self.max_iterations is None and self.first_day is None:
            return {meter: pd.Timestamp(ts) for meter, ts in summary.last.items()}
        newest = self.readings().groupby("meter")["ts"].max()
        return {str(meter): ts for meter, ts in newest.items()}
