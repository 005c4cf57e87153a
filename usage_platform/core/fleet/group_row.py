"""One group of the fleet: its sums of the last 7 and 30 days, and how many of their hours count.

Belongs here: the row of a group. Not here: adding up hours (adapters), which meters are in a group
(`groups`).

An hour counts if every meter of the sum has all of its readings. Others are left out, in whole: an
hour without one of the meters would look like one in which that meter used nothing.
"""

import math
from dataclasses import dataclass

from usage_platform.core.fleet.groups import Group


@dataclass(frozen=True)
class HourSum:
    """A sum over hours.

    Attributes:
        hours: Hours in which the group had a meter.
        complete_hours: Hours in which each of its meters has all of its readings.
        kwh: Energy of the complete hours; NaN without one.
    """

    hours: int
    complete_hours: int
    kwh: float

    @property
    def completeness(self) -> float:
        """Share of the hours that are complete; NaN without any."""
        return self.complete_hours / self.hours if self.hours else math.nan

    @property
    def mean_kw(self) -> float:
        """Mean power over the complete hours; NaN without one."""
        return self.kwh / self.complete_hours if self.complete_hours else math.nan


@dataclass(frozen=True)
class GroupRow:
    """A group of the fleet.

    Attributes:
        group: The group.
        week: Its sum over the last 7 days.
        month: Its sum over the last 30 days.
        kwh_per_m2: Energy of the complete hours of 30 days by floor area; NaN if that is not known.
        is_meter: Whether it has readings of its own, as a meter.
    """

    group: Group
    week: HourSum
    month: HourSum
    kwh_per_m2: float
    is_meter: bool


NO_HOURS = HourSum(0, 0, math.nan)


def group_row(
    group: Group, is_meter: bool, week: HourSum = NO_HOURS, month: HourSum = NO_HOURS
) -> GroupRow:
    """The row of a group."""
    per_m2 = math.nan if group.area_m2 is None else month.kwh / group.area_m2
    return GroupRow(group, week, month, per_m2, is_meter)
