"""Which intervals of a month have no reading: what a bill must not count as 0 in silence.

Belongs here: counting them, and estimating them for a projection. Not here: gaps in general
(`core.readings.gaps`).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.load.month import Month
from usage_platform.core.load.series import PowerSeries
from usage_platform.core.meters import Meter
from usage_platform.core.readings.gaps import Gap, find_gaps
from usage_platform.core.readings.series import Series
from usage_platform.core.time.day_numbers import weekday_numbers
from usage_platform.core.time.units import NS_A_DAY, NS_A_MINUTE

PROFILE_DAYS = 28
"""Days before a month whose readings an estimate uses, beside those of the month."""


@dataclass(frozen=True)
class Coverage:
    """Which readings of a month are there.

    Attributes:
        expected: How many intervals have passed.
        present: How many of them have a reading.
        gaps: The others, in order of time.
        interval_minutes: Length of an interval.
    """

    expected: int
    present: int
    gaps: tuple[Gap, ...]
    interval_minutes: int

    @property
    def missing_hours(self) -> float:
        """Hours without readings."""
        return (self.expected - self.present) * self.interval_minutes / 60


def coverage_of(series: Series, meter: Meter, month: Month, now: pd.Timestamp) -> Coverage:
    """Which readings of a month are there up to now.

    Args:
        series: The readings.
        meter: The meter.
        month: The local month.
        now: The current time, UTC.
    """
    start, end = month.bounds(meter)
    interval = meter.interval_minutes * NS_A_MINUTE
    passed = max(min(now, end).value - start.value, 0) // interval
    until = start.value + passed * interval
    instants = series.since(start.value).until(until).instants
    # The end counts as a reading, so that what is missing before it is a gap.
    gaps = find_gaps(np.append(instants, until), meter.interval_minutes, start.value)
    return Coverage(passed, len(instants), tuple(gaps), meter.interval_minutes)


def completed(series: Series, meter: Meter, month: Month) -> Series | None:
    """The readings of a month and before it, the missing ones of the month estimated.

    An interval without a reading, past or to come, gets the mean of the readings at the same
    weekday and local time in the month and the `PROFILE_DAYS` before it; where there is none, at
    the same local time of any day; where there is none, of all.

    Args:
        series: The readings; those after the month are left out.
        meter: The meter.
        month: The local month.

    Returns:
        None where there is no reading to estimate from.
    """
    start, end = month.bounds(meter)
    known = series.until(end.value)
    profile = known.since(start.value - PROFILE_DAYS * NS_A_DAY)
    if not len(profile.instants):
        return None
    wanted = np.arange(start.value, end.value, meter.interval_minutes * NS_A_MINUTE, dtype=np.int64)
    missing = wanted[~np.isin(wanted, known.instants)]
    instants = np.concatenate([known.instants, missing])
    values = np.concatenate([known.values, _estimated(profile, missing, meter)])
    order = np.argsort(instants, kind="stable")
    return Series(instants[order], values[order])


def _estimated(profile: Series, missing: Ints, meter: Meter) -> Floats:
    rows = pd.DataFrame({"value": profile.values, **_local(profile.instants, meter)})
    asked = pd.DataFrame(_local(missing, meter))
    estimate = np.full(len(missing), profile.values.mean())
    for keys in (["minute"], ["weekday", "minute"]):
        means = rows.groupby(keys, as_index=False)["value"].mean()
        merged = asked.merge(means, on=keys, how="left")
        found: Floats = merged["value"].to_numpy(np.float64)
        estimate = np.where(np.isnan(found), estimate, found)
    return estimate


def _local(instants: Ints, meter: Meter) -> dict[str, Ints]:
    series = PowerSeries.unscored(meter, instants, np.zeros(len(instants)))
    return {
        "weekday": weekday_numbers(series.local_day),
        "minute": series.local_minute,
    }
