"""How good a detector is: what it finds of labelled faults, beside what chance would find.

Belongs here: counting scored readings against labels. Not here: scoring (`replay`), printing.

Recall means nothing by itself: a detector that flags everything finds everything. So every recall
stands beside that of chance: windows as long as the faults, laid at random over clean time. A delay
is counted from a fault's start to the end of the first anomalous interval's start: 0 when the first
reading of the fault is anomalous.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.anomalies.episodes import MERGED_NS
from usage_platform.core.arrays import Ints
from usage_platform.core.detector.score import Kind
from usage_platform.core.meters import Meter
from usage_platform.core.time.units import NS_A_MINUTE, NS_AN_HOUR, instants_of

MARGIN_MINUTES = 30
"""Readings this near to a fault count neither as clean nor as found."""

RULE_KINDS = (Kind.ZERO, Kind.FLATLINE, Kind.GROSS)
_CHANCE_WINDOWS = 60
_HOURS_A_WEEK = 168


@dataclass(frozen=True)
class Found:
    """What a detector found of one or more labelled series.

    Attributes:
        weeks: Weeks of scored readings.
        messages: Anomalous readings on clean time.
        episodes: Episodes that touch no fault and no margin.
        hours: Clock hours with an anomalous reading on clean time.
        true_episodes: Episodes that touch a fault or its margin.
        faults: Faults on scored time, by kind.
        hits: Those with an anomalous reading, by kind.
        chances: Sum over the faults, by kind, of the chance to be hit.
        delays: Minutes from a fault's start to its first anomalous reading, of those hit.
    """

    weeks: float
    messages: int
    episodes: int
    hours: int
    true_episodes: int
    faults: Mapping[str, float]
    hits: Mapping[str, float]
    chances: Mapping[str, float]
    delays: tuple[float, ...]

    @property
    def recall(self) -> float:
        """Share of the faults that were hit."""
        return _share(sum(self.hits.values()), sum(self.faults.values()))

    @property
    def chance(self) -> float:
        """Share that chance would have hit."""
        return _share(sum(self.chances.values()), sum(self.faults.values()))

    @property
    def precision(self) -> float:
        """Share of the episodes that touch a fault."""
        return _share(self.true_episodes, self.true_episodes + self.episodes)

    @property
    def median_delay(self) -> float:
        """Minutes; NaN when nothing was hit."""
        return float(np.median(self.delays)) if self.delays else float("nan")

    def __add__(self, other: "Found") -> "Found":
        """Both together."""
        return Found(
            self.weeks + other.weeks,
            self.messages + other.messages,
            self.episodes + other.episodes,
            self.hours + other.hours,
            self.true_episodes + other.true_episodes,
            _added(self.faults, other.faults),
            _added(self.hits, other.hits),
            _added(self.chances, other.chances),
            self.delays + other.delays,
        )


def evaluate(
    scored: pd.DataFrame, labels: pd.DataFrame, meter: Meter, rng: np.random.Generator
) -> Found:
    """Count what was found.

    Args:
        scored: Readings that were scored by more than rules: ts (datetime64[ns, UTC], ascending)
            and flagged (bool).
        labels: Faults: kind, start and end (datetime64[ns, UTC], end exclusive).
        meter: Gives the interval.
        rng: Places the windows of chance.
    """
    instants = instants_of(scored.loc[:, "ts"])
    flagged = scored["flagged"].to_numpy(np.bool_)
    if len(instants) == 0:
        return Found(0.0, 0, 0, 0, 0, {}, {}, {}, ())
    begins, ends = (instants_of(labels.loc[:, name]) for name in ("start", "end"))
    inside = (begins >= instants[0]) & (ends <= instants[-1] + meter.interval_minutes * NS_A_MINUTE)
    begins, ends, kinds = begins[inside], ends[inside], labels["kind"].to_numpy()[inside]
    margin = MARGIN_MINUTES * NS_A_MINUTE
    clean = ~_within(instants, begins - margin, ends + margin)
    false = instants[flagged & clean]
    first, last = _runs(instants[flagged])
    touching = _touching(first, last, begins - margin, ends + margin)
    hit_at = _first_from(instants[flagged], begins)
    hit = hit_at < ends
    chances = _chances(ends - begins, instants[clean], false, meter, rng)
    return Found(
        weeks=len(instants) / (_HOURS_A_WEEK * meter.readings_per_hour),
        messages=len(false),
        episodes=int((~touching).sum()),
        hours=len(np.unique(false // NS_AN_HOUR)),
        true_episodes=int(touching.sum()),
        faults=_by_kind(kinds, np.ones(len(kinds))),
        hits=_by_kind(kinds, hit.astype(np.float64)),
        chances=_by_kind(kinds, chances),
        delays=tuple(((hit_at - begins)[hit] / NS_A_MINUTE).tolist()),
    )


def at_hours(
    scored: pd.DataFrame, labels: pd.DataFrame, meter: Meter, hours_per_week: float
) -> pd.DataFrame:
    """The scored readings as if the bar stood where clean time has so many hours with an alarm.

    Two methods can be compared so at the same price. Rules keep their word; a reading within low
    and high stays unflagged.

    Args:
        scored: With score, low, high, value and kind too.
        labels: Faults, as in `evaluate`.
        meter: Gives the interval.
        hours_per_week: Clock hours a week with an anomalous reading on clean time.
    """
    by_rule = scored["kind"].isin(RULE_KINDS).to_numpy()
    outside = ((scored["value"] < scored["low"]) | (scored["value"] > scored["high"])).to_numpy()
    scores = np.where(outside, scored["score"].to_numpy(), 0.0)
    instants = instants_of(scored.loc[:, "ts"])
    margin = MARGIN_MINUTES * NS_A_MINUTE
    begins, ends = (instants_of(labels.loc[:, name]) for name in ("start", "end"))
    clean = ~_within(instants, begins - margin, ends + margin)
    weeks = len(instants) / (_HOURS_A_WEEK * meter.readings_per_hour)
    paid = len(np.unique(instants[clean & by_rule] // NS_AN_HOUR))
    free = clean & ~by_rule
    by_hour = pd.Series(scores[free]).groupby(instants[free] // NS_AN_HOUR).max()
    allowed = max(0, int(hours_per_week * weeks) - paid)
    ordered = np.sort(by_hour.to_numpy())[::-1]
    bar = ordered[allowed] if allowed < len(ordered) else 0.0
    return scored.assign(flagged=by_rule | (scores > bar))


def _within(at: Ints, begins: Ints, ends: Ints) -> npt.NDArray[np.bool_]:
    """Whether each instant lies in one of the windows, which may overlap."""
    begun = np.searchsorted(np.sort(begins), at, side="right")
    return begun > np.searchsorted(np.sort(ends), at, side="right")


def _runs(odd: Ints) -> tuple[Ints, Ints]:
    """First and last instant of each episode."""
    apart = np.flatnonzero(np.diff(odd) > MERGED_NS)
    first = np.concatenate([[0], apart + 1]) if len(odd) else np.empty(0, dtype=np.int64)
    last = np.concatenate([apart, [len(odd) - 1]]) if len(odd) else np.empty(0, dtype=np.int64)
    return odd[first], odd[last]


def _touching(first: Ints, last: Ints, begins: Ints, ends: Ints) -> npt.NDArray[np.bool_]:
    """Which spans have an instant in common with one of the windows."""
    begun = np.searchsorted(np.sort(begins), last, side="right")
    return begun > np.searchsorted(np.sort(ends), first, side="right")


def _first_from(odd: Ints, begins: Ints) -> Ints:
    """The first anomalous instant at or after each start; far away if there is none."""
    padded = np.append(odd, np.iinfo(np.int64).max)
    return padded[np.searchsorted(odd, begins)]


def _chances(
    lengths: Ints, clean: Ints, false: Ints, meter: Meter, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """For each length the share of windows on clean time that hold an anomalous reading."""
    if len(lengths) == 0 or len(clean) == 0:
        return np.zeros(len(lengths))
    begins = clean[rng.integers(len(clean), size=(len(lengths), _CHANCE_WINDOWS))]
    ends = begins + lengths[:, None]
    interval = meter.interval_minutes * NS_A_MINUTE
    held = np.searchsorted(clean, ends) - np.searchsorted(clean, begins)
    # A window that runs into a fault has fewer clean readings than it is long.
    whole = held >= 0.9 * (ends - begins) / interval
    struck = np.searchsorted(false, ends) > np.searchsorted(false, begins)
    return (struck & whole).sum(axis=1) / np.maximum(whole.sum(axis=1), 1)


def _by_kind(kinds: npt.NDArray[np.object_], counts: npt.NDArray[np.float64]) -> dict[str, float]:
    return {str(kind): float(counts[kinds == kind].sum()) for kind in np.unique(kinds)}


def _added(one: Mapping[str, float], two: Mapping[str, float]) -> dict[str, float]:
    return {kind: one.get(kind, 0.0) + two.get(kind, 0.0) for kind in {**one, **two}}


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
