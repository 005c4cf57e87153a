"""Several meters on one chart: the steps that they share, and each meter's power in them.

Belongs here: how long the steps are, means over steps, and when values of meters can share an axis.
Not here: reading the values (`services.overlay`), drawing (`web`).

Steps are those of the meter with the longest interval, longer where a chart would get too many
points. Steps of up to an hour begin at whole steps on the clock of the first meter; longer ones are
local days, to which an hour belongs by its start.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.meters import INTERVALS, Meter
from usage_platform.core.time.clock_hours import ClockHours, clock_hours
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.core.time.units import NS_A_DAY, NS_A_MINUTE

MOST_METERS = 8
"""Lines that can be told apart."""

MOST_POINTS = 2016
"""Points of a line: a week of five minutes."""

HOUR_MINUTES, DAY_MINUTES = 60, 1440
LONGEST_SPAN = 366 * NS_A_DAY
"""The longest span of a chart, ns."""

_W_A_KW = 1000


class OverlayUnit(StrEnum):
    """The unit of an axis."""

    KW = "kW"
    W_PER_M2 = "W/m2"


class UnitError(ValueError):
    """Some meters have no value in a unit; one line says which, and what to do."""


@dataclass(frozen=True, eq=False)
class MeterLine:
    """A meter on the chart.

    Attributes:
        meter: The meter.
        power: float64, shape (steps,): mean power of the readings of each step, in the unit of the
            chart; NaN without one, and for a local day that is partly outside the span.
        energy_kwh: Energy of its readings.
        readings: How many there are.
        expected_readings: How many a complete meter has until the newest reading of all of them.
    """

    meter: Meter
    power: Floats
    energy_kwh: float
    readings: int
    expected_readings: int


def step_minutes(meters: Sequence[Meter], start: int, end: int) -> int:
    """The length of a step; `DAY_MINUTES` stands for local days.

    Args:
        meters: The meters; at least one.
        start: Begin of the chart, ns since 1970 UTC.
        end: Its end, exclusive.
    """
    longest = max(meter.interval_minutes for meter in meters)
    # A step holds whole intervals of each meter.
    steps = [
        minutes
        for minutes in INTERVALS
        if minutes >= longest and all(minutes % meter.interval_minutes == 0 for meter in meters)
    ]
    fitting = (step for step in steps if (end - start) // (step * NS_A_MINUTE) <= MOST_POINTS)
    return next(fitting, DAY_MINUTES)


def step_starts(minutes: int, zone_of: Meter, start: int, end: int) -> Ints:
    """The starts of all steps that overlap a span, ns since 1970 UTC, ascending.

    Args:
        minutes: From `step_minutes`.
        zone_of: The meter whose local days and hours are meant.
        start: Begin of the span, ns since 1970 UTC.
        end: Its end, exclusive.
    """
    if minutes < DAY_MINUTES:
        return _clock_steps(minutes, clock_hours(zone_of.timezone), start, end)
    first = pd.Timestamp(start, tz="UTC").tz_convert(zone_of.zone).date()
    last = pd.Timestamp(end - 1, tz="UTC").tz_convert(zone_of.zone).date()
    days = pd.date_range(first, last, freq="D")
    # A midnight that the clocks skip is the change; of two the first one counts.
    local = days.tz_localize(
        zone_of.zone, ambiguous=np.ones(len(days), dtype=np.bool_), nonexistent="shift_forward"
    )
    return local.tz_convert("UTC").as_unit("ns").asi8


def _clock_steps(minutes: int, clock: ClockHours, start: int, end: int) -> Ints:
    step = minutes * NS_A_MINUTE
    if clock.are_utc:
        return np.arange(start // step, -(-end // step), dtype=np.int64) * step
    hours = clock.between(int(clock.starts(np.array([start]))[0]), end)
    steps = hours[:, np.newaxis] + step * np.arange(HOUR_MINUTES // minutes)
    # An hour that a change of the clock makes short has fewer.
    steps = steps[steps < clock.ends(hours)[:, np.newaxis]]
    return steps[(steps + step > start) & (steps < end)]


def whole_steps(
    minutes: int, zone_of: Meter, starts: Ints, span: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Which steps can be shown: all shorter ones, and local days that lie wholly in the span.

    The mean of a part of a day would look like a day of another level.

    Args:
        minutes: From `step_minutes`.
        zone_of: The meter whose local days are meant.
        starts: From `step_starts`, of the same span.
        span: Begin and end (exclusive), ns since 1970 UTC.

    Returns:
        bool, the shape of `starts`.
    """
    if minutes < DAY_MINUTES:
        return np.ones(len(starts), dtype=np.bool_)
    last = pd.Timestamp(int(starts[-1]), tz="UTC").tz_convert(zone_of.zone).date()
    ends = np.append(starts[1:], local_day_bounds(last, zone_of.timezone)[1].value)
    return np.logical_and(starts >= span[0], ends <= span[1])


def means_in_steps(starts: Ints, instants: Ints, values: Floats, weights: Ints) -> Floats:
    """The mean power of each step.

    Args:
        starts: int64, shape (m,): from `step_starts`.
        instants: int64, shape (n,): interval starts, ns since 1970 UTC.
        values: float64, shape (n,): mean power over each interval, kW.
        weights: int64, shape (n,): how many readings each of them is the mean of.

    Returns:
        float64, shape (m,): kW; NaN without a reading.
    """
    at = np.searchsorted(starts, instants, side="right") - 1
    inside = (at >= 0) & (weights > 0)
    count = np.bincount(at[inside], weights[inside], minlength=len(starts))
    sums = np.bincount(at[inside], (values * weights)[inside], minlength=len(starts))
    return np.where(count > 0, sums / np.maximum(count, 1), np.nan)


def factors(
    meters: Sequence[Meter], unit: OverlayUnit, areas: Mapping[str, float]
) -> Sequence[float]:
    """What one kW of each meter is in a unit; meters of another unit are shown in their own.

    Args:
        meters: The meters.
        unit: The unit of the axis, one for all of them.
        areas: Floor area by meter, m².

    Raises:
        UnitError: In one line, if some meters have no value in it.
    """
    others = [meter for meter in meters if meter.unit is not meters[0].unit]
    if others:
        raise UnitError(
            f"unit: {meters[0].name!r} is read in {meters[0].unit} and {others[0].name!r} in "
            f"{others[0].unit}, which have no axis in common; choose meters of one unit"
        )
    if unit is OverlayUnit.KW:
        return [1.0] * len(meters)
    if not meters[0].is_power:
        raise UnitError(
            f"unit: {meters[0].name!r} is read in {meters[0].unit} and cannot be shown in {unit}; "
            "leave out the choice of the unit"
        )
    unknown = [meter.name for meter in meters if meter.name not in areas]
    if unknown:
        raise UnitError(
            f"unit: {', '.join(map(repr, unknown))} cannot be shown in {unit}, as no floor area is "
            "known; give area_m2 in groups.yaml, leave the meter out, or show kW"
        )
    return [_W_A_KW / areas[meter.name] for meter in meters]


def expected_count(meter: Meter, start: int, end: int) -> int:
    """How many readings a complete meter has in a span, ns since 1970 UTC."""
    return max(end - start, 0) // (meter.interval_minutes * NS_A_MINUTE)
