"""Replaying a meter's past as it would have been judged at the time.

Belongs here: weekly training and chronological scoring without looking ahead. The live stream calls
the same `train` and `score`. Not here: reading and writing files, comparing with labels
(`evaluation`).
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd

from usage_platform.core.anomalies.episodes import with_episodes
from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.baseline.score import judge_as_blog
from usage_platform.core.detector.model import Method, Tuning
from usage_platform.core.detector.score import CONTEXT_NS, score
from usage_platform.core.detector.train import HISTORY_DAYS, train
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.core.time.units import NS_A_DAY, instants_of

REPLAY_COLUMNS = (
    "ts",
    "value",
    "expected",
    "low",
    "high",
    "score",
    "flagged",
    "kind",
    "episode",
    "learning",
)


def replay(
    readings: pd.DataFrame,
    meter: Meter,
    calendar: Calendar,
    method: Method = Method.FOREST,
    tuning: Tuning | None = None,
    *,
    from_: pd.Timestamp | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> pd.DataFrame:
    """Judge every reading by a model trained on the Monday before it, on earlier readings only.

    Args:
        readings: One meter's: ts (datetime64[ns, UTC], ascending, each once, multiples of the
            interval), value (kW).
        meter: The meter.
        calendar: Its rest days; the blog's method does not look at them.
        method: How oddness is measured.
        tuning: What the user chose; the blog's method does not look at it.
        from_: Judge from the week of this instant on; by default from the first reading.
        progress: Called with (weeks done, weeks).

    Returns:
        One row a reading, `REPLAY_COLUMNS`; a longer series gives the earlier readings the same
        rows. Readings that are not finite are left out.
    """
    instants = instants_of(readings.loc[:, "ts"])
    values = readings["value"].to_numpy(np.float64)
    finite = np.isfinite(values)
    instants, values = instants[finite], values[finite]
    first = 0 if from_ is None else int(np.searchsorted(instants, from_.value))
    if first == len(instants):
        return pd.DataFrame({name: pd.Series(dtype=object) for name in REPLAY_COLUMNS})
    mondays = list(_mondays(int(instants[first]), int(instants[-1]), meter))
    parts = []
    for done, (monday, after) in enumerate(pairwise([*mondays, int(instants[-1]) + 1]), start=1):
        stop = int(np.searchsorted(instants, after))
        known = instants[:stop], values[:stop]
        if method is Method.BLOG:
            parts.append(_week_as_blog(*known, meter, monday))
        else:
            parts.append(_week(*known, meter, calendar, monday, method, tuning))
        progress(done, len(mondays))
    judged = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return with_episodes(judged).loc[:, list(REPLAY_COLUMNS)]


def _mondays(first: int, last: int, meter: Meter) -> Iterator[int]:
    """Monday 00:00 local time of each week from one instant's to another's, ns since 1970 UTC."""
    local = datetime.fromtimestamp(first // 10**9, meter.zone)
    day = local.date() - timedelta(days=local.weekday())
    while (start := local_day_bounds(day, meter.timezone)[0].value) <= last:
        yield start
        day += timedelta(days=7)


def _week(
    instants: Ints,
    values: Floats,
    meter: Meter,
    calendar: Calendar,
    monday: int,
    method: Method,
    tuning: Tuning | None,
) -> pd.DataFrame:
    first, context, start = np.searchsorted(
        instants, [monday - (HISTORY_DAYS + 1) * NS_A_DAY, monday - CONTEXT_NS, monday]
    )
    past = slice(first, start)
    model = train(instants[past], values[past], meter, calendar, monday, method, tuning)
    return score(model, instants[context:], values[context:], monday)


def _week_as_blog(instants: Ints, values: Floats, meter: Meter, monday: int) -> pd.DataFrame:
    start = np.searchsorted(instants, monday)
    past, coming = (instants[:start], values[:start]), (instants[start:], values[start:])
    return judge_as_blog(past, coming, meter, monday)
