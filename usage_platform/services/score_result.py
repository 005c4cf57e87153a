"""What one tick of the scorer did, for logs and for the asset's metadata."""

from dataclasses import dataclass, field

import pandas as pd

from usage_platform.core.anomalies.anomaly import WITHDRAWN
from usage_platform.core.anomalies.stream import StreamOutput


@dataclass
class TickResult:
    """What one tick did, over all its batches.

    Attributes:
        events: Events consumed.
        scored: Readings that a model judged by what it expects.
        learning: Readings for which there is too little history: judged by rules, or not at all.
        rejected: Events that are no readings, put on the dead-letter topic.
        anomalies: Anomalies told, changed ones among them.
        withdrawn: Anomalies withdrawn.
        episodes: Messages on episodes.
        repeated: Anomalies found again and not told again.
        lag: Events that still wait on the topic.
        newest: Event time of the newest reading, None without any.
        behind: Event time between the newest event that was scored and the newest on the topic,
            None where no event tells it.
        waits_for: From when on readings of the past wait for a model of their time; None when
            none waits.
        seconds: How long it took.
        offsets: What it committed: where scoring goes on in each partition; empty where it
            committed nothing.
        versions: The model versions that found anomalies.
    """

    events: int = 0
    scored: int = 0
    learning: int = 0
    rejected: int = 0
    anomalies: int = 0
    withdrawn: int = 0
    episodes: int = 0
    repeated: int = 0
    lag: int = 0
    newest: pd.Timestamp | None = None
    behind: pd.Timedelta | None = None
    waits_for: pd.Timestamp | None = None
    seconds: float = 0.0
    offsets: dict[int, int] = field(default_factory=dict)
    versions: set[str] = field(default_factory=set)

    def add(self, to_tell: StreamOutput, events: int, rejected: int) -> None:
        """Count a batch in."""
        withdrawn = int((to_tell.anomalies["status"] == WITHDRAWN).sum())
        self.events += events
        self.scored += to_tell.scored
        self.learning += to_tell.learning
        self.rejected += rejected
        self.anomalies += len(to_tell.anomalies) - withdrawn
        self.withdrawn += withdrawn
        self.episodes += len(to_tell.episodes)
        self.repeated += to_tell.repeated
        self.versions.update(to_tell.anomalies["model_version"])

    def reach(self, newest: pd.Timestamp) -> None:
        """Note how far a batch came in event time; NaT for one without readings."""
        if not pd.isna(newest):
            self.newest = newest if self.newest is None else max(self.newest, newest)
