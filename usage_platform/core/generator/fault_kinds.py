"""The kinds of faults: where each can happen and what it does to the readings.

Belongs here: how one fault of a kind is made from clean readings. Not here: when faults come and
how they are kept apart (`faults`).

Nothing here knows a building's schedule: nights, starts and weekends are read off the readings
around the fault, so that any meter's series can be used to evaluate a detector.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import NamedTuple

import numpy as np

from usage_platform.core.generator.building import round_to_step
from usage_platform.core.meters import Meter
from usage_platform.core.time.day_numbers import weekday_numbers
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.core.time.units import NS_A_MINUTE, NS_AN_HOUR

LONGEST_FAULT_DAYS = 28
LEAST_RISE = 0.15
"""A day counts as one with a start and an end if it rises that much above its night."""

_SATURDAY = 5


class Fault(NamedTuple):
    """One fault: what the readings it covers become.

    Attributes:
        start: Nanoseconds since 1970, UTC.
        end: The same, exclusive.
        values: kW, one for each reading within.
        detail: A few words for the label.
    """

    start: int
    end: int
    values: np.ndarray
    detail: str


class RunningDays(NamedTuple):
    """Local days on which the building runs; one value each, ascending.

    Attributes:
        number: Days since 1970-01-01, a Thursday.
        night: Load at night, kW.
        high: Load while it runs, kW.
        rise: First instant it runs, nanoseconds since 1970, UTC.
        fall: First instant after it ran, the same.
    """

    number: np.ndarray
    night: np.ndarray
    high: np.ndarray
    rise: np.ndarray
    fall: np.ndarray


@dataclass(frozen=True)
class Series:
    """One meter's clean readings and what is known of its days.

    Attributes:
        ts: Nanoseconds since 1970, UTC, ascending.
        values: kW, as many.
        days: The days with a start and an end.
        meter: Gives the interval and the local clock.
        step_kw: Resolution of the meter.
    """

    ts: np.ndarray
    values: np.ndarray
    days: RunningDays
    meter: Meter
    step_kw: float

    @property
    def interval(self) -> int:
        """Nanoseconds from one reading to the next."""
        return self.meter.interval_minutes * NS_A_MINUTE

    def within(self, start: int, end: int) -> slice:
        """Where the readings from `start` until before `end` stand."""
        first, stop = np.searchsorted(self.ts, (start, end))
        return slice(int(first), int(stop))


Proposal = Callable[[Series, np.random.Generator, tuple[int, int]], Fault | None]
"""A fault at a random place in a window of nanoseconds, or None if none of the kind fits there."""


def _in(window: tuple[int, int], instants: np.ndarray) -> np.ndarray:
    return (instants >= window[0]) & (instants < window[1])


def random_span(
    series: Series, rng: np.random.Generator, window: tuple[int, int], minutes: tuple[int, int]
) -> tuple[int, int]:
    """A random start in the window and an end that many minutes later, on whole intervals."""
    start = window[0] + series.interval * int(
        rng.integers((window[1] - window[0]) // series.interval)
    )
    return start, start + _duration(series, rng, minutes)


def _duration(series: Series, rng: np.random.Generator, minutes: tuple[int, int]) -> int:
    shortest, longest = (max(1, m // series.meter.interval_minutes) for m in minutes)
    return series.interval * int(rng.integers(shortest, longest + 1))


def _scale(
    series: Series,
    rng: np.random.Generator,
    window: tuple[int, int],
    *,
    shares: tuple[float, float],
    minutes: tuple[int, int],
    signs: tuple[int, ...] = (1,),
) -> Fault:
    """The load is a share higher or lower for a while."""
    start, end = random_span(series, rng, window, minutes)
    share = round(float(rng.choice(signs) * rng.uniform(*shares)), 2)
    values = series.values[series.within(start, end)] * (1 + share)
    detail = f"{100 * share:+.0f} %"
    return Fault(start, end, round_to_step(values, series.step_kw), detail)


def hold_last(series: Series, rng: np.random.Generator, window: tuple[int, int]) -> Fault | None:
    """The meter repeats its last reading."""
    start, end = random_span(series, rng, window, (120, 900))
    at = series.within(start, end)
    if at.start == 0:
        return None
    held = float(series.values[at.start - 1])
    return Fault(start, end, np.full(at.stop - at.start, held), f"held at {held:,.1f} kW")


def _stay_on(series: Series, rng: np.random.Generator, window: tuple[int, int]) -> Fault | None:
    """Part of a weekday's load runs on until the next morning.

    The library did so on 2024-04-15: 200 kW, a third of the day's rise, all night.
    """
    days = series.days
    evenings = _in(window, days.fall) & (weekday_numbers(days.number) < _SATURDAY)
    evenings[:-1] &= np.diff(days.number) == 1
    evenings[-1:] = False
    if not evenings.any():
        return None
    evening = rng.choice(np.flatnonzero(evenings))
    added = rng.uniform(0.25, 0.5) * (days.high - days.night)[evening]
    start, end = int(days.fall[evening]), int(days.rise[evening + 1])
    if not 3 * NS_AN_HOUR <= end - start <= 16 * NS_AN_HOUR:
        return None
    values = series.values[series.within(start, end)] + added
    return Fault(start, end, round_to_step(values, series.step_kw), f"{added:+,.0f} kW")


def _start_late(series: Series, rng: np.random.Generator, window: tuple[int, int]) -> Fault | None:
    """The building sleeps on: the readings before the start come once more."""
    mornings = series.days.rise[_in(window, series.days.rise)]
    if not len(mornings):
        return None
    start = int(rng.choice(mornings))
    length = _duration(series, rng, (45, 180))
    values = series.values[series.within(start - length, start)]
    return Fault(start, start + length, values, f"{length // NS_A_MINUTE} min late")


def _run_at_weekend(
    series: Series, rng: np.random.Generator, window: tuple[int, int]
) -> Fault | None:
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
    start = midnight + int(rng.integers(5, 20)) * NS_AN_HOUR
    end = start + _duration(series, rng, (180, 600))
    values = series.values[series.within(start - shift, end - shift)]
    before = series.values[series.within(start, end)]
    if len(values) != len(before) or not window[0] <= start < window[1]:
        return None
    if np.any(values < (1 + LEAST_RISE) * before):
        return None
    return Fault(start, end, values, f"runs like a {donor:%A}")


def _drift(series: Series, rng: np.random.Generator, window: tuple[int, int]) -> Fault:
    """The load grows a little every day for weeks, then is mended."""
    start, end = random_span(series, rng, window, (14 * 1440, LONGEST_FAULT_DAYS * 1440))
    share = round(float(rng.uniform(0.15, 0.25)), 2)
    at = series.within(start, end)
    growth = 1 + share * (series.ts[at] - start) / (end - start)
    values = round_to_step(series.values[at] * growth, series.step_kw)
    return Fault(start, end, values, f"up to {100 * share:+.0f} %")


KINDS: Mapping[str, Proposal] = {
    "spike": partial(_scale, shares=(0.25, 0.6), minutes=(5, 15)),
    "surge": partial(_scale, shares=(0.15, 0.35), minutes=(30, 360)),
    "drop": partial(_scale, shares=(0.25, 0.6), minutes=(15, 180), signs=(-1,)),
    "zero": partial(_scale, shares=(1.0, 1.0), minutes=(10, 60), signs=(-1,)),
    "stuck": hold_last,
    "night_load": _stay_on,
    "late_start": _start_late,
    "weekend_load": _run_at_weekend,
    "level_shift": partial(_scale, shares=(0.08, 0.18), minutes=(480, 1440), signs=(-1, 1)),
    "slow_drift": _drift,
}
"""The kinds of a building that only consumes, by name."""

ALL_KINDS = tuple(KINDS)
SHORT_KINDS = ALL_KINDS[:-1]
"""The nine kinds that last a day at most; `slow_drift` takes weeks."""

LEAST_SHARES = {"stuck": (1.0, 0.5), "slow_drift": (0.95, 0.5)}
"""Kinds for which not all expected readings are present, or not all change: (present, changed)."""
