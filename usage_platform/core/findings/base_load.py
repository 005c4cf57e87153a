"""Findings about the base load: it has risen, or it is high on one weekday or in one season.

Belongs here: comparisons of days' base loads (`core.load.load_shape`). Not here: loads above the
base load (`operation`).
"""

from collections.abc import Iterator

import numpy as np

from usage_platform.core.detector.robust import robust_size
from usage_platform.core.findings.finding import HOURS, Excess, Finding, FindingKind
from usage_platform.core.findings.observed import LEAST_DAYS, Observed

_RISE = 0.10
_SIZES = 3.0
_WEEKDAY_DAYS = 56
_LEAST_OF_WEEKDAY = 4
_SEASON_RISE = 0.25
_QUARTER_DAYS = 91
_NAMES = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


def base_load_findings(seen: Observed) -> Iterator[Finding]:
    """All findings about the base load."""
    if len(seen.recent) == 0:
        return
    yield from _increase(seen)
    yield from _weekdays(seen)
    yield from _season(seen)


def _increase(seen: Observed) -> Iterator[Finding]:
    recent, reference = seen.recent, seen.reference
    if not len(reference) or np.isnan(seen.base[recent]).all():
        return
    now, before = np.nanmedian(seen.base[recent]), np.nanmedian(seen.base[reference])
    usual = robust_size(seen.base[reference] - before)
    rise = float(now - before)
    if before <= 0 or rise <= seen.caution * _RISE * before or rise <= _SIZES * usual:
        return
    then = "in the same weeks a year before" if seen.has_last_year else "in the quarter before"
    yield seen.finding(
        FindingKind.BASE_LOAD_INCREASE,
        seen.label,
        recent,
        f"The base load is {now:,.1f} kW, {rise / before:.0%} above the {before:,.1f} kW {then}.",
        _constant(rise, len(recent)),
    )


def _weekdays(seen: Observed) -> Iterator[Finding]:
    rows = np.arange(max(0, seen.days - _WEEKDAY_DAYS), seen.days)
    rows = rows[np.isfinite(seen.base[rows])]
    for weekday in range(7):
        here = seen.weekday[rows] == weekday
        own, others = rows[here], rows[~here]
        if len(own) < _LEAST_OF_WEEKDAY or len(others) < LEAST_DAYS:
            continue
        level, usual = np.median(seen.base[own]), np.median(seen.base[others])
        rise = float(level - usual)
        size = robust_size(seen.base[others] - usual)
        if usual <= 0 or rise <= _RISE * usual or rise <= _SIZES * size:
            continue
        yield seen.finding(
            FindingKind.BASE_LOAD_WEEKDAY,
            f"{seen.label} {weekday}",
            rows,
            f"On {_NAMES[weekday]} the base load is {level:,.1f} kW, {rise / usual:.0%} above the "
            f"{usual:,.1f} kW of the other days.",
            Excess(_constant(rise, len(own)).by_hour, 365 / 7 / len(own)),
        )


def _season(seen: Observed) -> Iterator[Finding]:
    """Against the three quarters before this one."""
    before = [
        seen.base[
            max(0, seen.quarter - (back + 1) * _QUARTER_DAYS) : seen.quarter - back * _QUARTER_DAYS
        ]
        for back in range(3)
        if seen.quarter - back * _QUARTER_DAYS > 0
    ]
    known = [np.nanmedian(part) for part in before if np.isfinite(part).sum() >= 2 * LEAST_DAYS]
    own = np.arange(seen.quarter, seen.days)
    if len(known) < 3 or np.isfinite(seen.base[own]).sum() < 2 * LEAST_DAYS:
        return
    now, usual = float(np.nanmedian(seen.base[own])), float(np.median(known))
    if usual <= 0 or now <= (1 + _SEASON_RISE) * usual:
        return
    yield seen.finding(
        FindingKind.BASE_LOAD_SEASON,
        seen.label,
        own,
        f"The base load of the season is {now:,.1f} kW, {now / usual - 1:.0%} above the "
        f"{usual:,.1f} kW of the three quarters before.",
        # A season comes once a year.
        Excess(_constant(now - usual, len(own)).by_hour, _QUARTER_DAYS / len(own)),
    )


def _constant(power: float, days: int) -> Excess:
    """A power at all hours of some days."""
    return Excess.of_days(np.full(HOURS, power * days), days)
