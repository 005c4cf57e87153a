"""The blog's method as the baseline: a forest a slot on the last 30 days, cut at 0.5.

Belongs here: judging one week exactly as `core.detector.baseline.slot_forests` does, in the
detector's columns. It has no rules, no budget and no calendar.
"""

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.baseline.slot_forests import CUT, SlotForests, train_slot_forests
from usage_platform.core.detector.score import Kind
from usage_platform.core.meters import Meter
from usage_platform.core.time.units import NS_A_DAY

HISTORY_DAYS = 30


def judge_as_blog(
    past: tuple[Ints, Floats], coming: tuple[Ints, Floats], meter: Meter, until: int
) -> pd.DataFrame:
    """Train on the 30 days before `until` and judge what comes.

    Args:
        past: Instants (ns since 1970 UTC, ascending) and kW of the readings before `until`.
        coming: The same of the readings to judge.
        meter: The meter.
        until: ns since 1970 UTC.

    Returns:
        As `judge_by_forests`.
    """
    recent = past[0] >= until - HISTORY_DAYS * NS_A_DAY
    history = pd.DataFrame({"event_time": _times(past[0][recent]), "value": past[1][recent]})
    forests = train_slot_forests(history, meter, lambda done, of: None)
    return judge_by_forests(forests, *coming)


def judge_by_forests(forests: SlotForests, instants: Ints, values: Floats) -> pd.DataFrame:
    """Judge readings by a meter's forests.

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
