"""One meter of the fleet: its figures of the last 7 and 30 days.

Belongs here: the row of a meter, when it counts as silent, and by what the rows are ranked. Not
here: adding up hours (adapters), which rows are shown (`shown_rows`).
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Floats
from usage_platform.core.fleet.meter_cost import NO_COST, MeterCost, Stake
from usage_platform.core.measurement import ReadingUnit
from usage_platform.core.time.units import NS_AN_HOUR

WEEK_HOURS, MONTH_HOURS = 7 * 24, 30 * 24
"""The spans of the figures, in hours up to the end of the newest hour of the fleet."""

COMPLETE = 0.98
"""A share of readings below it is incomplete."""

STOPPED = pd.Timedelta(days=2)
"""A meter without a reading for longer, while others have some, counts as silent."""


@dataclass(frozen=True)
class Energy:
    """A meter's energy over a span of hours.

    Attributes:
        kwh: Energy of the readings that are there; NaN without any.
        compared_kwh: The part of it in hours for which something is expected.
        expected_kwh: What was expected in the same hours; of an hour with missing readings the
            same share as there are readings. NaN where nothing is expected.
    """

    kwh: float
    compared_kwh: float
    expected_kwh: float

    @property
    def deviation_kwh(self) -> float:
        """Energy above the expected energy of the same hours; below it negative."""
        return self.compared_kwh - self.expected_kwh

    @property
    def deviation_share(self) -> float:
        """The deviation as a share of the expected energy; NaN if that is not above 0."""
        return self.deviation_kwh / self.expected_kwh if self.expected_kwh > 0 else math.nan


@dataclass(frozen=True, eq=False)
class MeterRow:
    """A meter of the fleet.

    Attributes:
        name: Its name.
        week: Energy of the last 7 days.
        month: Energy of the last 30 days.
        has_model: Whether something is expected of it.
        open_episodes: Episodes of the last 7 days that nobody has acknowledged or labelled.
        open_excess_kwh: Their energy above the expected one, within these 7 days.
        completeness: Share of the readings of the last 7 days that are there, counted from the
            first reading of a meter that is newer; NaN without a reading in 30 days.
        newest: Interval start of the newest reading, ns since 1970 UTC; None without one in 30
            days.
        is_silent: Whether it has become silent.
        kwh_per_m2: Energy of the last 30 days by floor area; NaN where no area is known.
        line: Shape (168,): mean power of each hour of the last 7 days, kW; NaN where there is none.
        cost: What it costs.
        unit: The unit of its readings, and of `line`; where it is not kW, no energy is known.
    """

    name: str
    week: Energy
    month: Energy
    has_model: bool
    open_episodes: int
    open_excess_kwh: float
    completeness: float
    newest: int | None
    is_silent: bool
    kwh_per_m2: float
    line: Floats
    cost: MeterCost = NO_COST
    unit: ReadingUnit = ReadingUnit.KW

    @property
    def is_incomplete(self) -> bool:
        """Whether readings of the last 7 days are missing, more than a few."""
        return not self.completeness >= COMPLETE

    @cached_property
    def stake(self) -> Stake:
        """What it has used above the expected energy, as an amount; the counterpart of `rank`."""
        return self.cost.at_stake(self.week.deviation_kwh)

    @cached_property
    def rank(self) -> float:
        """By what the meters are ranked, the largest first: what an analyst should look at, kWh.

        The energy above or below the expected one in the open episodes or in all of the last 7
        days, whichever is larger.
        """
        return max(_size(self.open_excess_kwh), _size(self.week.deviation_kwh))


def _size(value: float) -> float:
    return 0.0 if math.isnan(value) else abs(value)


NO_ENERGY = Energy(math.nan, math.nan, math.nan)
NO_LINE: Floats = np.full(WEEK_HOURS, np.nan)


def is_silent(newest: int | None, silent_from: int | None, as_of: int) -> bool:
    """Whether a meter has become silent and has not delivered since.

    Args:
        newest: Interval start of its newest reading, ns since 1970 UTC; None without one.
        silent_from: From when on it was last reported as silent; None if it never was.
        as_of: The present, in the time of the fleet's readings.
    """
    if newest is None or as_of - newest > STOPPED.value:
        return True
    return silent_from is not None and newest < silent_from


def completeness(readings: int, first_hour: int, hour_end: int, per_hour: int) -> float:
    """The share of expected readings that are there.

    Args:
        readings: Readings of the last 7 days.
        first_hour: The meter's first hour of the last 30 days, ns since 1970 UTC.
        hour_end: End of the newest hour of the fleet, ns since 1970 UTC.
        per_hour: Readings of a complete hour.
    """
    start = max(first_hour, hour_end - WEEK_HOURS * NS_AN_HOUR)
    # The first hour, by the meter's own clock, may begin within an hour of UTC.
    expected = -(-(hour_end - start) // NS_AN_HOUR) * per_hour
    return readings / expected if expected > 0 else 0.0


def present(now: int, newest: int) -> int:
    """What counts as the present, in the time of the fleet's readings.

    It is the clock's time while readings are live. Of a played past it is the newest reading: after
    that one none is late.

    Args:
        now: The clock's time, ns since 1970 UTC.
        newest: The newest reading of all meters.
    """
    return now if abs(now - newest) <= STOPPED.value else newest
