"""Findings about when a building runs: out of hours, on holidays, too early, too late.

Belongs here: loads above the base load at times when they are not needed. Not here: the base load
(`base_load`).

What is needed are the hours that are given. Without them it is what was usual in the time that the
quarter is compared with.
"""

from collections.abc import Iterator

import numpy as np

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.expected import DAY_TYPES, day_type
from usage_platform.core.detector.grid import SUNDAY
from usage_platform.core.detector.robust import robust_size
from usage_platform.core.findings.finding import Excess, Finding, FindingKind
from usage_platform.core.findings.observed import LEAST_DAYS, YEAR_DAYS, Observed, running_steps
from usage_platform.core.time.day_numbers import weekday_numbers
from usage_platform.core.time.needed_hours import NeededHours, Schedule

_SHARE_RISE = 0.04
_NEEDLESS_SHARE = 0.15
_EARLY_MINUTES = 30
_SIZES = 3.0
_SUNDAYS_WITHIN = 84
_RUNS_FROM = 0.5
_LEAST_RISE = 0.15
_LEAST_COMPARED = 4


def operation_findings(seen: Observed, schedule: Schedule | None) -> Iterator[Finding]:
    """All findings about hours of operation.

    Args:
        seen: The days.
        schedule: When the building is needed; None if that is not known.
    """
    yield from _holidays(seen)
    if len(seen.recent) == 0 or not (schedule or len(seen.reference)):
        return
    needed = schedule or _usual_hours(seen)
    yield from _out_of_hours(seen, needed, is_given=schedule is not None)
    yield from _start_and_stop(seen, schedule)


def _usual_hours(seen: Observed) -> Schedule:
    """The median start and stop of each type of day in the time compared with."""
    rows = seen.reference
    start, stop = running_steps(seen.values[rows], seen.base[rows], seen.high[rows])
    kinds = day_type(seen.weekday[rows])
    minutes = seen.meter.interval_minutes
    found: list[NeededHours | None] = []
    for kind in range(DAY_TYPES):
        runs = (kinds == kind) & np.isfinite(start)
        if np.count_nonzero(runs) * 2 <= np.count_nonzero(kinds == kind):
            found.append(None)
            continue
        begin, end = (int(np.median(one[runs])) * minutes for one in (start, stop))
        found.append(NeededHours(begin, min(1440, end)) if begin < end else None)
    return found[0], found[1], found[2]


def _outside(seen: Observed, rows: Ints, needed: Schedule) -> tuple[Floats, float]:
    """Mean power above the base load outside the hours, kW by step; its share of the energy."""
    values = seen.values[rows]
    steps = np.arange(values.shape[1], dtype=np.int64) * seen.meter.interval_minutes
    closed = np.ones((DAY_TYPES, values.shape[1]), dtype=np.bool_)
    for kind, hours in enumerate(needed):
        if hours is not None:
            closed[kind] = (steps < hours.start) | (steps >= hours.stop)
    out = closed[day_type(seen.weekday[rows])]
    above = np.where(out, np.maximum(values - np.nanmedian(seen.base[rows]), 0.0), 0.0)
    energy = float(np.nansum(values))
    share = float(np.nansum(above)) / energy if energy > 0 else 0.0
    return np.nansum(above, axis=0) / len(rows), share


def _out_of_hours(seen: Observed, needed: Schedule, *, is_given: bool) -> Iterator[Finding]:
    recent, reference = seen.recent, seen.reference
    if np.isnan(seen.base[recent]).all():
        return
    power, share = _outside(seen, recent, needed)
    if len(reference):
        usual, usual_share = _outside(seen, reference, needed)
    else:
        usual, usual_share = np.zeros_like(power), share
    has_risen = share - usual_share > seen.caution * _SHARE_RISE
    is_needless = is_given and share > _NEEDLESS_SHARE
    if not (has_risen or is_needless):
        return
    excess = np.maximum(power - usual, 0.0) if has_risen else power
    compared = f", {usual_share:.0%} before" if has_risen else ""
    yield seen.finding(
        FindingKind.OUT_OF_HOURS,
        seen.label,
        recent,
        f"{share:.0%} of the energy is used above the base load outside the hours of operation"
        f"{compared}.",
        Excess.of_days(seen.by_hour(excess) * len(recent), len(recent)),
    )


def _start_and_stop(seen: Observed, schedule: Schedule | None) -> Iterator[Finding]:
    """The start and the stop of working days against what is needed, or what was usual."""
    recent, reference = seen.works(seen.recent), seen.works(seen.reference)
    needed = schedule[0] if schedule else None
    if schedule and needed is None:
        return
    now = running_steps(seen.values[recent], seen.base[recent], seen.high[recent])
    before = running_steps(seen.values[reference], seen.base[reference], seen.high[reference])
    minutes = seen.meter.interval_minutes
    for place, kind in enumerate((FindingKind.EARLY_START, FindingKind.LATE_STOP)):
        known = now[place][np.isfinite(now[place])] * minutes
        usual = before[place][np.isfinite(before[place])] * minutes
        if len(known) < _LEAST_COMPARED or (needed is None and len(usual) < _LEAST_COMPARED):
            continue
        if needed is None:
            aim, size = float(np.median(usual)), robust_size(usual - np.median(usual))
        else:
            aim, size = float((needed.start, needed.stop)[place]), 0.0
        at = float(np.median(known))
        wrong = aim - at if kind is FindingKind.EARLY_START else at - aim
        if wrong <= _EARLY_MINUTES or wrong <= _SIZES * size:
            continue
        yield _shifted(seen, kind, recent, at, aim, wrong, is_given=needed is not None)


def _shifted(
    seen: Observed,
    kind: FindingKind,
    rows: Ints,
    at: float,
    aim: float,
    wrong: float,
    *,
    is_given: bool,
) -> Finding:
    steps = np.arange(seen.values.shape[1], dtype=np.int64) * seen.meter.interval_minutes
    between = (steps >= min(at, aim)) & (steps < max(at, aim))
    above = np.maximum(seen.values[rows] - np.nanmedian(seen.base[rows]), 0.0)
    excess = seen.by_hour(np.where(between, np.nansum(above, axis=0), 0.0))
    what, how = ("starts", "earlier") if kind is FindingKind.EARLY_START else ("stops", "later")
    than = "needed" if is_given else "usual"
    return seen.finding(
        kind,
        seen.label,
        rows,
        f"On working days the load {what} at {_clock(at)}, {wrong:.0f} min {how} than {than} "
        f"({_clock(aim)}).",
        Excess.of_days(excess, int(rows[-1] - rows[0]) + 1),
    )


def _holidays(seen: Observed) -> Iterator[Finding]:
    """Rest days of the quarter, Monday to Friday, that ran like a working day."""
    civil = weekday_numbers(seen.first_day + np.arange(seen.days))
    rests = (seen.weekday == SUNDAY) & (civil < SUNDAY - 1)
    known = np.isfinite(seen.base)
    means = np.full(seen.days, np.nan)
    means[known] = np.nanmean(seen.values[known], axis=1)
    tomorrow = seen.first_day + seen.days
    coming = seen.calendar.rest_days(tomorrow, tomorrow + YEAR_DAYS)
    a_year = np.count_nonzero(weekday_numbers(coming) < SUNDAY - 1)
    for row in np.flatnonzero(rests & known & (np.arange(seen.days) >= seen.quarter)):
        near = np.arange(max(0, row - _SUNDAYS_WITHIN), row)
        sundays = near[(civil[near] == SUNDAY) & known[near]]
        works = seen.works(near[known[near]])[-LEAST_DAYS:]
        if min(len(sundays), len(works)) < _LEAST_COMPARED:
            continue
        rest, work = np.median(means[sundays]), np.median(means[works])
        if work <= (1 + _LEAST_RISE) * rest or means[row] < rest + _RUNS_FROM * (work - rest):
            continue
        day = seen.date(int(row))
        usual = np.nan_to_num(np.nanmedian(seen.values[sundays], axis=0))
        excess = np.nan_to_num(np.maximum(seen.values[row] - usual, 0.0))
        yield seen.finding(
            FindingKind.HOLIDAY_OPERATION,
            day.isoformat(),
            np.array([row]),
            f"On the holiday {day:%A} {day.isoformat()} the building ran like on a working day: "
            f"{means[row]:,.0f} kW on average, {rest:,.0f} kW on Sundays.",
            Excess(seen.by_hour(excess), float(a_year) or None),
        )


def _clock(minutes: float) -> str:
    return f"{int(minutes) // 60:02d}:{int(minutes) % 60:02d}"
