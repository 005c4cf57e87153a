"""The result of one tick of the scorer, for logs and for the asset's metadata."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from usage_platform.core.anomalies.anomaly import WITHDRAWN
from usage_platform.core.anomalies.stream import StreamOutput

_COUNTS = (
    "events",
    "scored",
    "learning",
    "rejected",
    "anomalies",
    "withdrawn",
    "episodes",
    "silent",
    "repeated",
    "lag",
)


@dataclass
class TickResult:
    """The result of one tick, over all its batches.

    Attributes:
        events: Events consumed.
        scored: Readings with an expected range.
        learning: Readings with too little history: scored by rules only, or not at all.
        rejected: Invalid events, sent to the dead-letter topic.
        anomalies: Anomalies published, changed ones included.
        withdrawn: Anomalies withdrawn.
        episodes: Episode messages published.
        silent: Meters that have become silent.
        repeated: Anomalies found again and not published again.
        lag: Events that still wait on the topic.
        newest: Event time of the newest reading, None without any.
        behind: Event time between the newest scored event and the newest on the topic, None if
            no event has one.
        waits_for: From when on readings of the past wait for the next model; None if none waits.
        seconds: Duration of the tick.
        offsets: The committed offset of each partition; empty if nothing was committed.
        versions: The model versions that found anomalies.
        notice: What a person should know of the tick, in one line; empty if nothing.
    """

    events: int = 0
    scored: int = 0
    learning: int = 0
    rejected: int = 0
    anomalies: int = 0
    withdrawn: int = 0
    episodes: int = 0
    silent: int = 0
    repeated: int = 0
    lag: int = 0
    newest: pd.Timestamp | None = None
    behind: pd.Timedelta | None = None
    waits_for: pd.Timestamp | None = None
    seconds: float = 0.0
    offsets: dict[int, int] = field(default_factory=dict[int, int])
    versions: set[str] = field(default_factory=set[str])
    notice: str = ""

    def add(self, output: StreamOutput, events: int, rejected: int) -> None:
        """Add the counts of a batch."""
        withdrawn = int((output.anomalies["status"] == WITHDRAWN).sum())
        self.events += events
        self.scored += output.scored
        self.learning += output.learning
        self.rejected += rejected
        self.anomalies += len(output.anomalies) - withdrawn
        self.withdrawn += withdrawn
        self.episodes += len(output.episodes)
        self.repeated += output.repeated
        self.versions.update(output.anomalies["model_version"])

    def reach(self, newest: pd.Timestamp) -> None:
        """Update `newest` with that of a batch; NaT for one without readings."""
        if not pd.isna(newest):
            self.newest = newest if self.newest is None else max(self.newest, newest)


def merged(results: Sequence[TickResult]) -> TickResult:
    """One result for those of several scorers, at least one, which ticked at the same time.

    The duration is the longest one; `behind` is left out, as it is of the whole topic.
    """
    whole = TickResult(
        waits_for=next((one.waits_for for one in results if one.waits_for is not None), None),
        newest=max((one.newest for one in results if one.newest is not None), default=None),
        seconds=max((one.seconds for one in results), default=0.0),
        notice="; ".join(one.notice for one in results if one.notice),
    )
    for one in results:
        for name in _COUNTS:
            setattr(whole, name, getattr(whole, name) + getattr(one, name))
        whole.offsets.update(one.offsets)
        whole.versions.update(one.versions)
    return whole
