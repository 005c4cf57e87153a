"""Findings about the peak: above last year's, and the highest ever.

Belongs here: the highest hour of a quarter beside earlier ones. Not here: how likely a peak is
(`core.forecast.peak`).

Peaks are those of hourly means: a single wrong reading is no peak.
"""

from collections.abc import Iterator

import numpy as np

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.findings.finding import HOURS, Excess, Finding, FindingKind
from usage_platform.core.findings.observed import YEAR_DAYS, Observed

_ABOVE_LAST_YEAR = 0.10
_ABOVE_ALL = 0.05
_KNOWN_SHARE = 0.5


def peak_findings(seen: Observed) -> Iterator[Finding]:
    """The quarter's peak: one finding, of the more remarkable kind."""
    rows = np.arange(seen.quarter, seen.days)
    before = np.arange(seen.quarter)
    hours = _hours(seen)
    if not np.isfinite(hours[rows]).any() or len(before) < YEAR_DAYS:
        return
    last_year = (rows - YEAR_DAYS)[rows - YEAR_DAYS >= 0]
    peak, highest = np.nanmax(hours[rows]), np.fmax.reduce(hours[before].ravel())
    if peak > (1 + _ABOVE_ALL) * highest > 0:
        yield _finding(
            seen, FindingKind.NEW_HIGHEST_PEAK, hours, rows, float(highest), "ever before"
        )
        return
    known = np.isfinite(hours[last_year]).mean() if len(last_year) else 0.0
    if known < _KNOWN_SHARE:
        return
    of_year = np.nanmax(hours[last_year])
    if peak > (1 + _ABOVE_LAST_YEAR) * of_year > 0:
        kind, then = FindingKind.PEAK_ABOVE_LAST_YEAR, "in the same weeks a year before"
        yield _finding(seen, kind, hours, rows, float(of_year), then)


def _hours(seen: Observed) -> Floats:
    """Shape (days, 24): hourly means, kW; NaN for an hour that lacks a reading."""
    return seen.values.reshape(seen.days, HOURS, -1).mean(axis=2)


def _finding(
    seen: Observed, kind: FindingKind, hours: Floats, rows: Ints, before: float, then: str
) -> Finding:
    own = hours[rows]
    day, hour = np.unravel_index(int(np.nanargmax(own)), own.shape)
    peak = float(own[day, hour])
    at = seen.date(int(rows[day]))
    return seen.finding(
        kind,
        seen.label,
        rows[day : day + 1],
        f"The peak of the quarter, {peak:,.1f} kW on {at.isoformat()} at {hour:02d}:00, is "
        f"{peak / before - 1:.0%} above the {before:,.1f} kW {then}.",
        Excess(np.nansum(np.maximum(own - before, 0.0), axis=0), None),
    )
