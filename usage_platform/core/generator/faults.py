"""Faults with a label: what goes wrong in a building or its meter, put into clean readings.

Belongs here: when faults come, how they are kept apart, and their labels. Not here: the kinds of
faults (`fault_kinds`), the clean readings (`building`) and the search for faults (the detector,
which must not know how they were made).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from usage_platform.core.generator.building import STEP_KW
from usage_platform.core.generator.fault_kinds import (
    KINDS,
    LEAST_RISE,
    LEAST_SHARES,
    Fault,
    Proposal,
    RunningDays,
    Series,
)
from usage_platform.core.meters import Meter
from usage_platform.core.time.units import NS_A_DAY, NS_A_MINUTE, NS_AN_HOUR

_ATTEMPTS = 30
_APART = 12 * NS_AN_HOUR
_RUNNING = 0.2  # share of a day's rise from which on the building runs


def inject_faults(
    frame: pd.DataFrame,
    meter: Meter,
    rng: np.random.Generator,
    per_week: float = 1.2,
    from_: pd.Timestamp | None = None,
    kinds: Sequence[str] | None = None,
    step_kw: float = STEP_KW,
    proposals: Mapping[str, Proposal] = KINDS,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Puts labelled faults into clean readings, kind after kind in a shuffled rotation.

    Each stretch of 7 / `per_week` days gets one fault at a random moment, of the next kind that
    can happen there. Faults keep 12 hours apart; a slow drift takes the place of the faults that
    would have come in its weeks.
    A fault never covers a gap (a slow drift may miss 5 % of its readings), except for `stuck` and
    `slow_drift` it changes every reading it covers, and no reading outside.

    Args:
        frame: One meter's readings: ts (datetime64[ns, UTC], ascending), value (kW); other columns
            are kept.
        meter: Gives the interval, the local clock and the name on the labels.
        rng: All randomness comes from it.
        per_week: Faults a week, about; 0 for none.
        from_: No fault before this instant.
        kinds: Some of the names of `proposals`; all by default.
        step_kw: Resolution of the meter, kept by the changed readings.
        proposals: The kinds that there are, by name.

    Returns:
        The readings with faults, and the labels: meter, kind, start and end (exclusive; both
        datetime64[ns, UTC]), detail (a few words such as "+42 %"), by start.

    Raises:
        ValueError: For a kind that is not known or a negative rate.
    """
    order = tuple(proposals if kinds is None else kinds)
    unknown = sorted(set(order) - set(proposals))
    if unknown or per_week < 0:
        raise ValueError(
            f"faults: expected kinds of {', '.join(proposals)} and a rate of 0 or more, "
            f"got {', '.join(unknown) or per_week}"
        )
    if not (order and per_week and len(frame)):
        return frame.copy(), _labels(meter, [])
    series = _describe(frame, meter, step_kw)
    chosen = {kind: proposals[kind] for kind in order}
    faults = _schedule(series, rng, per_week, from_, chosen)
    values = series.values.copy()
    for _, fault in faults:
        values[series.within(fault.start, fault.end)] = fault.values
    return frame.assign(value=values), _labels(meter, faults)


def _labels(meter: Meter, faults: list[tuple[str, Fault]]) -> pd.DataFrame:
    columns = {
        "meter": [meter.name] * len(faults),
        "kind": [kind for kind, _ in faults],
        "start": [fault.start for _, fault in faults],
        "end": [fault.end for _, fault in faults],
        "detail": [fault.detail for _, fault in faults],
    }
    instant = "datetime64[ns, UTC]"
    types = {"meter": object, "kind": object, "start": instant, "end": instant, "detail": object}
    return pd.DataFrame(columns).astype(types)


def _schedule(
    series: Series,
    rng: np.random.Generator,
    per_week: float,
    from_: pd.Timestamp | None,
    proposals: Mapping[str, Proposal],
) -> list[tuple[str, Fault]]:
    faults: list[tuple[str, Fault]] = []
    waiting: list[str] = []
    first, end_of_series = int(series.ts[0]), int(series.ts[-1]) + series.interval
    stretch = max(1, int(7 * NS_A_DAY / per_week / series.interval)) * series.interval
    # Whole intervals from the first reading, also when `from_` lies between two.
    late = 0 if from_ is None else max(0, from_.value - first)
    cursor = first + -(-late // series.interval) * series.interval
    while cursor < end_of_series:
        if not waiting:
            waiting = [str(kind) for kind in rng.permutation(list(proposals))]
        window = (cursor, cursor + stretch)
        cursor = window[1]
        for kind in waiting:
            fault = _first_fitting(kind, proposals[kind], series, rng, window)
            if fault is not None:
                faults.append((kind, fault))
                waiting.remove(kind)
                cursor = max(cursor, fault.end + _APART)
                break
    return faults


def _first_fitting(
    kind: str,
    proposal: Proposal,
    series: Series,
    rng: np.random.Generator,
    window: tuple[int, int],
) -> Fault | None:
    for _ in range(_ATTEMPTS):
        fault = proposal(series, rng, window)
        if fault is not None and _fits(kind, series, fault):
            return fault
    return None


def _fits(kind: str, series: Series, fault: Fault) -> bool:
    """Whether the fault covers enough readings and changes them."""
    before = series.values[series.within(fault.start, fault.end)]
    past_the_end = fault.end > int(series.ts[-1]) + series.interval
    if past_the_end or len(before) != len(fault.values):
        return False
    expected = (fault.end - fault.start) // series.interval
    present, changed = LEAST_SHARES.get(kind, (1.0, 1.0))
    different = np.count_nonzero(before != fault.values)
    return bool(len(before) >= max(1, present * expected) and different >= changed * len(before))


def _describe(frame: pd.DataFrame, meter: Meter, step_kw: float) -> Series:
    """Reads each local day's night, height, start and end off the readings."""
    index = pd.DatetimeIndex(frame["ts"]).as_unit("ns")
    ts, values = index.asi8, frame["value"].to_numpy(np.float64)
    day = index.tz_convert(meter.zone).tz_localize(None).asi8 // NS_A_DAY
    number, day = np.unique(day, return_inverse=True)
    by_day = pd.Series(values).groupby(day)
    night, high = by_day.quantile(0.1).to_numpy(), by_day.quantile(0.9).to_numpy()
    # Two readings in a row above the bar: a single one may be noise.
    above = values > (night + _RUNNING * (high - night))[day]
    first, last = above & np.append(above[1:], False), above & np.insert(above[:-1], 0, False)
    rise, fall = np.full(len(number), ts[-1]), np.full(len(number), ts[0])
    np.minimum.at(rise, day[first], ts[first])
    np.maximum.at(fall, day[last], ts[last] + meter.interval_minutes * NS_A_MINUTE)
    runs = (high > (1 + LEAST_RISE) * night) & (rise < fall)
    days = RunningDays(*(column[runs] for column in (number, night, high, rise, fall)))
    return Series(ts, values, days, meter, step_kw)
