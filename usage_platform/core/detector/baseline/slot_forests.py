"""One Isolation Forest per slot (weekday and time of day): the blog's method.

Belongs here: training on a history and scoring readings, for one meter. Not here: where models are
stored (`adapters.stores.models`), what follows from an anomalous reading (`core.anomalies`).

The forest of a slot is fitted on that slot's past values only, with scikit-learn's
`contamination="auto"`, whose threshold is a score of 0.5.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.detector.baseline.slots import slots_of, slots_per_week
from usage_platform.core.detector.baseline.step_function import (
    MAX_SAMPLES,
    StepFunction,
    fit_step_function,
)
from usage_platform.core.meters import Meter

MIN_COMPARABLES = 4
MAX_HISTORY_DAYS = 70
TREES = 100
SEED = 42
CUT = 0.5
"""Scores above it are anomalies: scikit-learn's offset for `contamination="auto"`."""

NOT_SCORED = -1.0
"""The score of a reading whose slot has too few comparables."""


@dataclass(frozen=True)
class SlotForests:
    """One meter's forests, compiled. `slots` is `slots_per_week(meter)`.

    Attributes:
        meter: The meter they were trained for.
        comparables: int64, shape (slots,): number of past values of each slot.
        low: float64, shape (slots,): the lowest of them, kW; NaN for a slot with too few.
        high: float64, shape (slots,): the highest of them.
        starts: int64, shape (slots + 1,): where each slot's steps begin in `cuts` and `scores`;
            a slot with too few values has none.
        cuts: float64: the step functions' upper ends, one slot after the other.
        scores: float64: the steps' scores.
    """

    meter: Meter
    comparables: npt.NDArray[np.int64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    starts: npt.NDArray[np.int64]
    cuts: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float64]

    @property
    def trained(self) -> npt.NDArray[np.bool_]:
        """Shape (slots,): which slots have a forest."""
        return np.diff(self.starts) > 0

    def score(self, event_time: pd.Series, values: npt.NDArray[np.float64]) -> pd.DataFrame:
        """Score readings of this meter.

        Args:
            event_time: n interval starts, datetime64[ns, UTC].
            values: n powers, kW.

        Returns:
            n rows with the index of `event_time`: `score` (0 to 1, higher = more anomalous,
            `NOT_SCORED` where the slot has no forest), `expected_low`, `expected_high` (kW).
        """
        slots = slots_of(event_time, self.meter).to_numpy()
        low, high = self.starts[slots], self.starts[slots + 1] - 1
        scored = high >= low
        position = _first_at_least(self.cuts, values, low, np.maximum(high, low))
        scores = np.full(len(slots), NOT_SCORED)
        scores[scored] = self.scores[position[scored]]
        return pd.DataFrame(
            {"score": scores, "expected_low": self.low[slots], "expected_high": self.high[slots]},
            index=event_time.index,
        )


def train_slot_forests(
    history: pd.DataFrame, meter: Meter, progress: Callable[[int, int], None]
) -> SlotForests:
    """Train a meter's forests on its history.

    Args:
        history: `event_time` (datetime64[ns, UTC]), `value` (kW); this meter's, any order.
        meter: The meter.
        progress: Called with (slots done, slots), now and then and at the end.

    Returns:
        The forests; slots with fewer than `MIN_COMPARABLES` values have none.
    """
    slots = slots_per_week(meter)
    ordered = history.sort_values("event_time")
    by_slot = ordered["value"].groupby(slots_of(ordered.loc[:, "event_time"], meter))
    values = {
        cast("int", slot): group.to_numpy("float64")[-MAX_SAMPLES:] for slot, group in by_slot
    }
    steps: list[StepFunction | None] = []
    for slot in range(slots):
        past = values.get(slot, np.empty(0))
        enough = len(past) >= MIN_COMPARABLES
        steps.append(fit_step_function(past, TREES, SEED) if enough else None)
        if slot % 96 == 95 or slot == slots - 1:
            progress(slot + 1, slots)
    return _packed(meter, values, steps)


def _packed(
    meter: Meter, values: dict[int, npt.NDArray[np.float64]], steps: list[StepFunction | None]
) -> SlotForests:
    lengths = [0 if step is None else len(step.cuts) for step in steps]
    low = [np.nan if step is None else values[slot].min() for slot, step in enumerate(steps)]
    high = [np.nan if step is None else values[slot].max() for slot, step in enumerate(steps)]
    fitted = [step for step in steps if step is not None]
    none = np.empty(0)
    return SlotForests(
        meter=meter,
        comparables=np.array([len(values.get(s, none)) for s in range(len(steps))], dtype=np.int64),
        low=np.array(low, dtype=np.float64),
        high=np.array(high, dtype=np.float64),
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        cuts=np.concatenate([none, *(step.cuts for step in fitted)]),
        scores=np.concatenate([none, *(step.scores for step in fitted)]),
    )


def _first_at_least(
    cuts: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
    low: npt.NDArray[np.int64],
    high: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Binary search of each value in the part of `cuts` of its slot, whose last cut is +inf."""
    rounded = values.astype(np.float32).astype(np.float64)
    low, high = low.copy(), high.copy()
    last = max(len(cuts) - 1, 0)
    while len(cuts) and (low < high).any():
        middle = (low + high) // 2
        left = rounded <= cuts[np.minimum(middle, last)]
        high = np.where(left & (low < high), middle, high)
        low = np.where(~left & (low < high), middle + 1, low)
    return low
