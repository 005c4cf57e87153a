"""Sub-meters that do not add up to their main meter.

Belongs here: the energy of a main meter beside the sum of those below it. Not here: which meters
those are, and reading them.
"""

from datetime import date, timedelta

import numpy as np

from usage_platform.core.arrays import Floats
from usage_platform.core.detector.robust import robust_size
from usage_platform.core.findings.finding import Finding, FindingKind, finding_id
from usage_platform.core.meters import Meter
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.core.time.quarters import quarter_label

RECENT_DAYS = 14
_BEFORE_DAYS = 84
COMPARED_DAYS = RECENT_DAYS + _BEFORE_DAYS
"""Days before a moment that a finding depends on."""

_TOLERANCE = 0.03
_CHANGE = 0.10
_SIZES = 3.0
_LEAST_DAYS = 7


def sub_meter_finding(
    main: Meter, first: date, main_kwh: Floats, children_kwh: Floats
) -> Finding | None:
    """Whether the sub-meters of the last two weeks add up as they did before.

    Args:
        main: The main meter.
        first: The first local day.
        main_kwh: Shape (n,): its energy by local day, kWh; NaN for a day without all readings.
        children_kwh: Shape (n,): the sum of its sub-meters; NaN for a day that lacks one of them.

    Returns:
        A finding if they measure more than the main meter (by 3 %), or if the share that no
        sub-meter measures has changed by a tenth of the main meter's energy.

    Raises:
        ValueError: If the two differ in length.
    """
    if main_kwh.shape != children_kwh.shape:
        raise ValueError(
            f"meter {main.name}: {main_kwh.size} days of the main meter, {children_kwh.size} of "
            "its sub-meters; give both for the same days"
        )
    unmetered = np.full(main_kwh.shape, np.nan)
    np.divide(main_kwh - children_kwh, main_kwh, out=unmetered, where=main_kwh > 0)
    recent = unmetered[-RECENT_DAYS:]
    if np.isfinite(recent).sum() < _LEAST_DAYS:
        return None
    now = float(np.nanmedian(recent))
    past = unmetered[-RECENT_DAYS - _BEFORE_DAYS : -RECENT_DAYS]
    past = past[np.isfinite(past)]
    before = float(np.median(past)) if len(past) >= _LEAST_DAYS else now
    changed = abs(now - before) > max(_CHANGE, _SIZES * robust_size(past - before))
    if now >= -_TOLERANCE and not changed:
        return None
    sentence = (
        f"The sub-meters measure {-now:.0%} more than the main meter."
        if now < -_TOLERANCE
        else f"The sub-meters leave {now:.0%} of the main meter's energy without measurement, "
        f"{before:.0%} before."
    )
    days = len(main_kwh)
    begin = first + timedelta(days=max(0, days - RECENT_DAYS))
    last = first + timedelta(days=days - 1)
    kwh = float(np.nansum(np.abs(recent - before) * main_kwh[-RECENT_DAYS:])) if changed else 0.0
    return Finding(
        id=finding_id(main.name, FindingKind.SUB_METERS, quarter_label(last)),
        meter=main.name,
        kind=FindingKind.SUB_METERS,
        start=local_day_bounds(begin, main.timezone)[0],
        end=local_day_bounds(last, main.timezone)[1],
        sentence=sentence,
        kwh=kwh,
        kwh_per_year=None,
        cost_per_year=None,
    )
