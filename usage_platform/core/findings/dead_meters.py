"""Findings about the metering: a meter that repeats a reading, or sends none.

Belongs here: what is wrong with readings for hours. Not here: single anomalies (`core.anomalies`).
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from usage_platform.core.detector.features import run_lengths
from usage_platform.core.detector.rules import flatline_after
from usage_platform.core.findings.finding import Finding, FindingKind, finding_id
from usage_platform.core.findings.observed import Observed
from usage_platform.core.time.units import NS_AN_HOUR

_FLAT_HOURS = 12
_SILENT_HOURS = 24


def dead_meter_findings(seen: Observed) -> Iterator[Finding]:
    """Flatlines of the quarter, and silence at the end of its last day."""
    yield from _flatlines(seen)
    yield from _silence(seen)


def _flatlines(seen: Observed) -> Iterator[Finding]:
    """Runs of equal readings; none of a meter that has hardly ever changed (`flatline_after`)."""
    grid = seen.grid
    least_hours = _FLAT_HOURS * seen.meter.readings_per_hour
    least, least_of_zeros = (
        max(flatline_after(grid, of_zeros=of_zeros), least_hours) for of_zeros in (False, True)
    )
    runs = run_lengths(grid.values, len(grid.values))
    known = np.flatnonzero(runs)
    lengths = runs[known]
    last = np.append(lengths[1:] <= lengths[:-1], True) if len(lengths) else lengths > 0
    enough = np.where(grid.values[known] == 0, least_of_zeros, least)
    for place in np.flatnonzero(last & (lengths >= enough)):
        first, end = known[place - lengths[place] + 1], known[place]
        if grid.day[end] - seen.first_day < seen.quarter:
            continue
        start = grid.start + int(first) * grid.interval
        hours = lengths[place] / seen.meter.readings_per_hour
        yield _of_readings(
            seen,
            FindingKind.FLATLINE,
            (start, grid.start + (int(end) + 1) * grid.interval),
            f"The meter repeated {grid.values[end]:,.1f} kW for {hours:,.0f} hours.",
            0.0,
        )


def _silence(seen: Observed) -> Iterator[Finding]:
    grid = seen.grid
    newest = int(np.flatnonzero(np.isfinite(grid.values))[-1])
    end = grid.start + (newest + 1) * grid.interval
    end_of_day = grid.start + len(grid.values) * grid.interval
    hours = (end_of_day - end) / NS_AN_HOUR
    if hours < _SILENT_HOURS:
        return
    local = pd.Timestamp(end, tz="UTC").tz_convert(seen.meter.zone)
    usual = float(np.nanmean(seen.values[-56:])) if np.isfinite(seen.values[-56:]).any() else 0.0
    yield _of_readings(
        seen,
        FindingKind.SILENT,
        (end, end_of_day),
        f"The meter has sent no reading since {local:%Y-%m-%d %H:%M}, for {hours:,.0f} hours.",
        usual * hours,
    )


def _of_readings(
    seen: Observed, kind: FindingKind, span: tuple[int, int], sentence: str, kwh: float
) -> Finding:
    start, end = (pd.Timestamp(one, tz="UTC") for one in span)
    name = seen.meter.name
    # A flatline or silence that goes on has the same start.
    identity = finding_id(name, kind, start.isoformat())
    return Finding(identity, name, kind, start, end, sentence, kwh, None, None)
