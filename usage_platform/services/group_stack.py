"""The parts of a group over some hours, from the lake.

Belongs here: which hours are read, and the steps that are shown. Not here: what is stacked
(`core.fleet.stack`), requests (`web`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.adapters.lake.group_hours import hourly_sums
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import USAGE_HOURLY
from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.fleet.groups import Group
from usage_platform.core.fleet.stack import Stack, plan_of, stacked
from usage_platform.core.load.overlay import (
    DAY_MINUTES,
    HOUR_MINUTES,
    means_in_steps,
    step_starts,
    whole_steps,
)
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.time.clock_hours import clock_hours
from usage_platform.core.time.units import NS_A_DAY, NS_AN_HOUR, instants_of
from usage_platform.services.fleet_sums import members_of_sums

HOURS_UNTIL = 31 * NS_A_DAY
"""Up to this length a span is shown by hours, then by local days."""

MOST_METER_HOURS = 2_000_000
"""Hours times meters that are read for one answer: a month of 2,700 meters."""


class SpanTooLongError(ValueError):
    """A group has too many meters for a span; one line says how long it may be."""


@dataclass(frozen=True, eq=False)
class GroupStack:
    """A group over a span.

    Attributes:
        stack: The group in these hours.
        hours: int64, shape (hours,): their starts by the clock of `first`, ns since 1970 UTC.
        first: The meter whose local days and hours are meant.
        step_minutes: Length of a step: 60, or 1440 for local days.
        starts: int64, shape (steps,): ns since 1970 UTC.
        is_whole_step: bool, shape (steps,): the steps that are shown.
    """

    stack: Stack
    hours: Ints
    first: Meter
    step_minutes: int
    starts: Ints
    is_whole_step: npt.NDArray[np.bool_]

    @property
    def main(self) -> Floats | None:
        """The main meter, kW in each hour; None without one.

        As days, only of the hours that are stacked: the mean of other hours beside that of the
        parts would look like a rest.
        """
        main = self.stack.main
        if main is None or self.step_minutes == HOUR_MINUTES:
            return main
        return np.where(self.stack.is_whole, main, np.nan)

    def shown(self, kw: Floats) -> Floats:
        """The mean of hourly powers in each step, over the hours that are known.

        Args:
            kw: float64, shape (hours,).

        Returns:
            float64, shape (steps,); NaN for a step without such an hour, and for a local day that
            is partly outside the span.
        """
        known = ~np.isnan(kw)
        weights = known.astype(np.int64)
        means = means_in_steps(self.starts, self.hours, np.where(known, kw, 0.0), weights)
        return np.where(self.is_whole_step, means, np.nan)


def group_stack(
    reader: LakeReader, registry: MeterRegistry, group: Group, span: tuple[int, int]
) -> GroupStack:
    """The parts of a group on top of each other.

    Where the clocks of its meters differ by a part of an hour, those hours are put together that
    begin in the same hour of UTC.

    Args:
        reader: The lake's tables.
        registry: Gives each meter's time zone.
        group: The group.
        span: Begin and end (exclusive), ns since 1970 UTC; the hours that overlap it are shown.

    Raises:
        SpanTooLongError: In one line, if too many hours of too many meters would be read.
        LakeError: When the lake cannot be read.
    """
    plan = plan_of(group)
    members = members_of_sums(plan.sums, registry)
    meters = {member.meter for member in members}
    zone_of = registry.get(min(meters))
    clock = clock_hours(zone_of.timezone)
    begin = int(clock.starts(np.array([span[0]]))[0])
    first, end = begin // NS_AN_HOUR, -(-span[1] // NS_AN_HOUR)
    if (end - first) * len(meters) > MOST_METER_HOURS:
        days = MOST_METER_HOURS // len(meters) // 24
        raise SpanTooLongError(
            f"to: a group of {len(meters):,} meters is shown for up to {days} days; choose a "
            "shorter range or a smaller group"
        )
    hours = clock.between(begin, span[1])
    kwh = np.full((len(plan.sums), end - first), np.nan)
    is_due = np.zeros(kwh.shape, dtype=np.bool_)
    if reader.exists(USAGE_HOURLY):
        ends = (pd.Timestamp(at * NS_AN_HOUR, tz="UTC") for at in (first, end))
        rows = hourly_sums(reader, members, *ends)
        at = rows["sum"].to_numpy(np.int64), instants_of(rows["start"]) // NS_AN_HOUR - first
        kwh[at] = rows["kwh"].to_numpy(np.float64)
        is_due[at] = True
    minutes = HOUR_MINUTES if span[1] - span[0] <= HOURS_UNTIL else DAY_MINUTES
    of_hours = hours // NS_AN_HOUR - first
    kwh, is_due = kwh[:, of_hours], is_due[:, of_hours]
    whole_hours = begin, int(clock.ends(hours[-1:])[0])
    starts = step_starts(minutes, zone_of, *whole_hours)
    is_whole = whole_steps(minutes, zone_of, starts, whole_hours)
    return GroupStack(stacked(plan, kwh, is_due), hours, zone_of, minutes, starts, is_whole)
