"""Faults with a label: what goes wrong in a building or its meter, put into clean readings.

Belongs here: the kinds of faults, where each can happen and what it does to the readings. Not
here: the clean readings (`building`) and the search for faults (the detector, which must not
know how they were made).

Nothing here knows a building's schedule: nights, starts and weekends are read off the readings
around the fault, so that any meter's series can be used to judge a detector.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from usage_platform.core.building import STEP_KW, round_to_step
from usage_platform.core.local_time import local_day_bounds
from usage_platform.core.meters import Meter

LONGEST_FAULT_DAYS = 28
_ATTEMPTS = 30
_NS_A_MINUTE = 60 * 10**9
_NS_AN_HOUR = 60 * _NS_A_MINUTE
_NS_A_DAY = 24 * _NS_AN_HOUR
_APART = 12 * _NS_AN_HOUR
_SATURDAY = 5
# A day counts as one with a start and an end if it rises that much above its night.
_LEAST_RISE = 0.15
_RUNNING = 0.2  # share of a day's rise from which on the building runs


class _Fault(NamedTuple):
    start: int  # nanoseconds since 1970, UTC
    end: int  # the same, exclusive
    values: np.ndarray  # kW, one for each reading within
    detail: str


class _Days(NamedTuple):
    """Local days on which the building runs; one value each, ascending."""

    number: np.ndarray  # days since 1970-01-01, a Thursday
    night: np.ndarray  # kW
    high: np.ndarray  # kW
    rise: np.ndarray  # first instant it runs, nanoseconds UTC
    fall: np.ndarray  # first instant after it ran, the same


@dataclass(frozen=True)
class _Series:
    """One meter's clean readings and what is known of its days."""

    ts: np.ndarray  # nanoseconds since 1970, UTC
    values: np.ndarray
    days: _Days
    meter: Meter
    step_kw: float

    @property
    def interval(self) -> int:
        return self.meter.interval_minutes * _NS_A_MINUTE

    def within(self, start: int, end: int) -> slice:
        first, stop = np.searchsorted(self.ts, (start, end))
        return slice(int(first), int(stop))


_Proposal = Callable[[_Series, np.random.Generator, tuple[int, int]], _Fault | None]


def inject_faults(
    frame: pd.DataFrame,
    meter: Meter,
    rng: np.random.Generator,
    per_week: float = 1.2,
    from_: pd.Timestamp | None = None,
    kinds: Sequence[str] | None = None,
    step_kw: float = STEP_KW,
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
        kinds: Some of `ALL_KINDS`; all by default.
        step_kw: Resolution of the meter, kept by the changed readings.

    Returns:
        The readings with faults, and the labels: meter, kind, start and end (exclusive; both
        datetime64[ns, UTC]), detail (a few words such as "+42 %"), by start.

    Raises:
        ValueError: For a kind that is not known or a negative rate.
    """
    order = ALL_KINDS if kinds is None else tuple(kinds)
    unknown = sorted(set(order) - set(ALL_KINDS))
    if unknown or per_week < 0:
        raise ValueError(
            f"faults: expected kinds of {', '.join(ALL_KINDS)} and a rate of 0 or more, "
            f"got {', '.join(unknown) or per_week}"
        )
    if not (order and per_week and len(frame)):
        return frame.copy(), _labels(meter, [])
    series = _describe(frame, meter, step_kw)
    faults = _schedule(series, rng, per_week, from_, order)
    values = series.values.copy()
    for _, fault in faults:
        values[series.within(fault.start, fault.end)] = fault.values
    return frame.assign(value=values), _labels(meter, faults)


def _labels(meter: Meter, faults: list[tuple[str, _Fault]]) -> pd.DataFrame:
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
    series: _Series,
    rng: np.random.Generator,
    per_week: float,
    from_: pd.Timestamp | None,
    kinds: tuple[str, ...],
) -> list[tuple[str, _Fault]]:
    faults: list[tuple[str, _Fault]] = []
    waiting: list[str] = []
    first, end_of_series = int(series.ts[0]), int(series.ts[-1]) + series.interval
    stretch = max(1, int(7 * _NS_A_DAY / per_week / series.interval)) * series.interval
    # Whole intervals from the first reading, also when `from_` lies between two.
    late = 0 if from_ is None else max(0, from_.value - first)
    cursor = first + -(-late // series.interval) * series.interval
    while cursor < end_of_series:
        if not waiting:
            waiting = [str(kind) for kind in rng.permutation(kinds)]
        window = (cursor, cursor + stretch)
        cursor = window[1]
        for kind in waiting:
            fault = _first_fitting(kind, series, rng, window)
            if fault is not None:
                faults.append((kind, fault))
                waiting.remove(kind)
                cursor = max(cursor, fault.end + _APART)
                break
    return faults


def _first_fitting(
    kind: str, series: _Series, rng: np.random.Generator, window: tuple[int, int]
) -> _Fault | None:
    for _ in range(_ATTEMPTS):
        fault = _KINDS[kind](series, rng, window)
        if fault is not None and _fits(kind, series, fault):
            return fault
    return None


def _fits(kind: str, series: _Series, fault: _Fault) -> bool:
    """Whether the fault covers enough readings and changes them."""
    before = series.values[series.within(fault.start, fault.end)]
    past_the_end = fault.end > int(series.ts[-1]) + series.interval
    if past_the_end or len(before) != len(fault.values):
        return False
    expected = (fault.end - fault.start) // series.interval
    present, changed = _LEAST_SHARES.get(kind, (1.0, 1.0))
    different = np.count_nonzero(before != fault.values)
    return bool(len(before) >= max(1, present * expected) and different >= changed * len(before))


def _describe(frame: pd.DataFrame, meter: Meter, step_kw: float) -> _Series:
    """Reads each local day's night, height, start and end off the readings."""
    index = pd.DatetimeIndex(frame["ts"]).as_unit("ns")
    ts, values = index.asi8, frame["value"].to_numpy(np.float64)
    day = index.tz_convert(meter.zone).tz_localize(None).asi8 // _NS_A_DAY
    number, day = np.unique(day, return_inverse=True)
    by_day = pd.Series(values).groupby(day)
    night, high = by_day.quantile(0.1).to_numpy(), by_day.quantile(0.9).to_numpy()
    # Two readings in a row above the bar: a single one may be noise.
    above = values > (night + _RUNNING * (high - night))[day]
    first, last = above & np.append(above[1:], False), above & np.insert(above[:-1], 0, False)
    rise, fall = np.full(len(number), ts[-1]), np.full(len(number), ts[0])
    np.minimum.at(rise, day[first], ts[first])
    np.maximum.at(fall, day[last], ts[last] + meter.interval_minutes * _NS_A_MINUTE)
    runs = (high > (1 + _LEAST_RISE) * night) & (rise < fall)
    days = _Days(*(column[runs] for column in (number, night, high, rise, fall)))
    return _Series(ts, values, days, meter, step_kw)


def _in(window: tuple[int, int], instants: np.ndarray) -> np.ndarray:
    return (instants >= window[0]) & (instants < window[1])


def _moment(
    series: _Series, rng: np.random.Generator, window: tuple[int, int], minutes: tuple[int, int]
) -> tuple[int, int]:
    """A random start in the window and an end that many minutes later, on whole intervals."""
    start = window[0] + series.interval * int(
        rng.integers((window[1] - window[0]) // series.interval)
    )
    return start, start + _duration(series, rng, minutes)


def _duration(series: _Series, rng: np.random.Generator, minutes: tuple[int, int]) -> int:
    shortest, longest = (max(1, m // series.meter.interval_minutes) for m in minutes)
    return series.interval * int(rng.integers(shortest, longest + 1))


def _scale(
    series: _Series,
    rng: np.random.Generator,
    window: tuple[int, int],
    *,
    shares: tuple[float, float],
    minutes: tuple[int, int],
    signs: tuple[int, ...] = (1,),
) -> _Fault:
    """The load is a share higher or lower for a while."""
    start, end = _moment(series, rng, window, minutes)
    share = round(float(rng.choice(signs) * rng.uniform(*shares)), 2)
    values = series.values[series.within(start, end)] * (1 + share)
    detail = f"{100 * share:+.0f} %"
    return _Fault(start, end, round_to_step(values, series.step_kw), detail)


def _stick(series: _Series, rng: np.random.Generator, window: tuple[int, int]) -> _Fault | None:
    """The meter repeats its last reading."""
    start, end = _moment(series, rng, window, (120, 900))
    at = series.within(start, end)
    if at.start == 0:
        return None
    held = float(series.values[at.start - 1])
    return _Fault(start, end, np.full(at.stop - at.start, held), f"held at {held:,.1f} kW")


def _stay_on(series: _Series, rng: np.random.Generator, window: tuple[int, int]) -> _Fault | None:
    """Part of a weekday's load runs on until the next morning.

    The library did so on 2024-04-15: 200 kW, a third of the day's rise, all night.
    """
    days = series.days
    evenings = _in(window, days.fall) & ((days.number + 3) % 7 < _SATURDAY)
    evenings[:-1] &= np.diff(days.number) == 1
    evenings[-1:] = False
    if not evenings.any():
        return None
    evening = rng.choice(np.flatnonzero(evenings))
    added = rng.uniform(0.25, 0.5) * (days.high - days.night)[evening]
    start, end = int(days.fall[evening]), int(days.rise[evening + 1])
    if not 3 * _NS_AN_HOUR <= end - start <= 16 * _NS_AN_HOUR:
        return None
    values = series.values[series.within(start, end)] + added
    return _Fault(start, end, round_to_step(values, series.step_kw), f"{added:+,.0f} kW")


def _start_late(
    series: _Series, rng: np.random.Generator, window: tuple[int, int]
) -> _Fault | None:
    """The building sleeps on: the readings before the start come once more."""
    mornings = series.days.rise[_in(window, series.days.rise)]
    if not len(mornings):
        return None
    start = int(rng.choice(mornings))
    length = _duration(series, rng, (45, 180))
    values = series.values[series.within(start - length, start)]
    return _Fault(start, start + length, values, f"{length // _NS_A_MINUTE} min late")


def _run_at_weekend(
    series: _Series, rng: np.random.Generator, window: tuple[int, int]
) -> _Fault | None:
    """Hours of a Saturday or Sunday take the load of a weekday before, at the same local clock."""
    zone = series.meter.zone
    first, last = (datetime.fromtimestamp(w // 10**9, zone).toordinal() for w in window)
    days = [d for d in map(date.fromordinal, range(first, last + 1)) if d.weekday() >= _SATURDAY]
    if not days:
        return None
    day = days[int(rng.integers(len(days)))]
    donor = day - timedelta(days=int(rng.integers(day.weekday() - 4, day.weekday() + 1)))
    midnight, donor_midnight = (local_day_bounds(d, zone.key)[0].value for d in (day, donor))
    shift = midnight - donor_midnight
    start = midnight + int(rng.integers(5, 20)) * _NS_AN_HOUR
    end = start + _duration(series, rng, (180, 600))
    values = series.values[series.within(start - shift, end - shift)]
    before = series.values[series.within(start, end)]
    if len(values) != len(before) or not window[0] <= start < window[1]:
        return None
    if np.any(values < (1 + _LEAST_RISE) * before):
        return None
    return _Fault(start, end, values, f"runs like a {donor:%A}")


def _drift(series: _Series, rng: np.random.Generator, window: tuple[int, int]) -> _Fault:
    """The load grows a little every day for weeks, then is mended."""
    start, end = _moment(series, rng, window, (14 * 1440, LONGEST_FAULT_DAYS * 1440))
    share = round(float(rng.uniform(0.15, 0.25)), 2)
    at = series.within(start, end)
    growth = 1 + share * (series.ts[at] - start) / (end - start)
    values = round_to_step(series.values[at] * growth, series.step_kw)
    return _Fault(start, end, values, f"up to {100 * share:+.0f} %")


_KINDS: dict[str, _Proposal] = {
    "spike": partial(_scale, shares=(0.25, 0.6), minutes=(5, 15)),
    "surge": partial(_scale, shares=(0.15, 0.35), minutes=(30, 360)),
    "drop": partial(_scale, shares=(0.25, 0.6), minutes=(15, 180), signs=(-1,)),
    "zero": partial(_scale, shares=(1.0, 1.0), minutes=(10, 60), signs=(-1,)),
    "stuck": _stick,
    "night_load": _stay_on,
    "late_start": _start_late,
    "weekend_load": _run_at_weekend,
    "level_shift": partial(_scale, shares=(0.08, 0.18), minutes=(480, 1440), signs=(-1, 1)),
    "slow_drift": _drift,
}
ALL_KINDS = tuple(_KINDS)
SHORT_KINDS = ALL_KINDS[:-1]
"""The nine kinds that last a day at most; `slow_drift` takes weeks."""
# Kinds for which not all expected readings are present, or not all change: (present, changed).
_LEAST_SHARES = {"stuck": (1.0, 0.5), "slow_drift": (0.95, 0.5)}
