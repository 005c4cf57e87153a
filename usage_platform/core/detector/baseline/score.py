"""The blog's method as the baseline: a forest a slot, cut at 0.5.

Belongs here: scoring exactly as `core.detector.baseline.slot_forests` does, in the detector's
columns. It has no rules, no budget and no calendar.
"""

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.baseline.slot_forests import CUT, SlotForests
from usage_platform.core.detector.score import Kind


def score_by_forests(forests: SlotForests, instants: Ints, values: Floats) -> pd.DataFrame:
    """Score readings by a meter's forests.

    Args:
        forests: The forests.
        instants: n interval starts, ns since 1970 UTC, ascending.
        values: n powers, kW.

    Returns:
        The columns of `score.score`; the score is the forest's over the cut, 0 where a slot has
        too few comparables, low and high are the least and largest comparable.
    """
    ts = _times(instants)
    scored = forests.score(ts, values)
    low, high = scored["expected_low"].to_numpy(), scored["expected_high"].to_numpy()
    middle = (low + high) / 2
    flagged = scored["score"].to_numpy() > CUT
    unknown = np.full(len(values), np.nan)
    return pd.DataFrame(
        {
            "ts": ts,
            "value": values,
            "expected": middle,
            "low": low,
            "high": high,
            "z": unknown,
            "z_short": unknown,
            "z_week": unknown,
            "run": np.zeros(len(values), dtype=np.int64),
            "score": np.maximum(scored["score"].to_numpy(), 0.0) / CUT,
            "flagged": flagged,
            "kind": np.select(
                [~flagged, values > middle], [Kind.NONE.value, Kind.SPIKE.value], Kind.DROP.value
            ).astype(object),
            "learning": scored["score"].to_numpy() < 0,
        }
    )


def _times(instants: Ints) -> pd.Series:
    return pd.Series(pd.DatetimeIndex(instants).tz_localize("UTC"))
