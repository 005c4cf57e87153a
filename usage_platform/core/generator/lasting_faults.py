"""Faults that last for weeks or matter by themselves, put into a generated building.

Belongs here: one building with one such fault, from a day on. Not here: faults of hours (`faults`),
healthy buildings (`building`), what is found of them.

Most are another building of the same seed from a day on: all randomness is the same, so that
nothing but the fault differs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from usage_platform.core.generator.building import BuildingProfile, building_load
from usage_platform.core.meters import Meter
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.core.time.opening_hours import MINUTES_A_DAY

_TUESDAY, _SATURDAY = 1, 5
_SPRING = (4, 5, 6)
_HEALTHY = BuildingProfile()
_ABROAD = "JP"
"""A country that works on the holidays of the building's own."""


@dataclass(frozen=True)
class LastingFault:
    """A fault of a generated building.

    Attributes:
        profile: The building as it is with the fault.
        added_kw: Power added by local time; gets the local times (without a zone) of the readings.
        factor: Multiplies the load.
        holds: Whether the meter repeats its first reading.
        falls_silent: Whether no reading comes.
        days: How many days it lasts; None until the end.
        each_spring: Whether it comes in April to June of every year, whenever the fault begins.
    """

    profile: BuildingProfile = _HEALTHY
    added_kw: Callable[[pd.DatetimeIndex], np.ndarray] | None = None
    factor: float = 1.0
    holds: bool = False
    falls_silent: bool = False
    days: float | None = None
    each_spring: bool = False


def _every_other_night(local: pd.DatetimeIndex) -> np.ndarray:
    minute = local.hour * 60 + local.minute
    hours = _HEALTHY.weekday
    # A night belongs to the day on which it begins.
    night_of = local - pd.to_timedelta(np.where(minute < hours.plant_on, MINUTES_A_DAY, 0), "min")
    is_night = (minute >= hours.close) | (minute < hours.plant_on)
    return np.where(is_night & np.isin(night_of.weekday, (0, 2, 4)), 300.0, 0.0)


def _on_tuesdays(local: pd.DatetimeIndex) -> np.ndarray:
    return np.where(local.weekday == _TUESDAY, 100.0, 0.0)


LASTING_FAULTS: Mapping[str, LastingFault] = {
    "out_of_hours": LastingFault(added_kw=_every_other_night),
    "base_load_increase": LastingFault(replace(_HEALTHY, base_kw=1.15 * _HEALTHY.base_kw)),
    "base_load_weekday": LastingFault(added_kw=_on_tuesdays),
    "base_load_season": LastingFault(
        replace(_HEALTHY, base_kw=1.35 * _HEALTHY.base_kw), each_spring=True
    ),
    "holiday_operation": LastingFault(
        replace(_HEALTHY, holiday_country=_ABROAD, holiday_subdivision=None)
    ),
    "early_start": LastingFault(replace(_HEALTHY, weekday=replace(_HEALTHY.weekday, plant_on=270))),
    "late_stop": LastingFault(replace(_HEALTHY, weekday=replace(_HEALTHY.weekday, close=1370))),
    "peak_above_last_year": LastingFault(factor=1.25, days=0.5),
    "new_highest_peak": LastingFault(factor=1.6, days=0.5),
    "flatline": LastingFault(holds=True, days=0.75),
    "silent": LastingFault(falls_silent=True),
}
"""By the kind of finding that they are to lead to."""


def faulty_building(
    kind: str, meter: Meter, start: date, days: int, fault_from: date, seed: int
) -> pd.DataFrame:
    """The library with one lasting fault, from the noon of a day on.

    Args:
        kind: One of `LASTING_FAULTS`.
        meter: Gives the local clock and the interval.
        start: First local day.
        days: How many local days.
        fault_from: The day on which the fault begins.
        seed: All randomness comes from it; the readings without the fault are those of a healthy
            building of the same seed.

    Returns:
        As `building_load`.

    Raises:
        KeyError: For a kind that is not known.
    """
    fault = LASTING_FAULTS[kind]
    frame = building_load(meter, start, days, _HEALTHY, np.random.default_rng(seed))
    other = building_load(meter, start, days, fault.profile, np.random.default_rng(seed))
    local = pd.DatetimeIndex(frame["ts"]).tz_convert(meter.zone).tz_localize(None)
    begin = local_day_bounds(fault_from, meter.timezone)[0] + pd.Timedelta(hours=12)
    within = (frame["ts"] >= begin).to_numpy()
    if fault.days is not None:
        within &= (frame["ts"] < begin + pd.Timedelta(days=fault.days)).to_numpy()
    if fault.each_spring:
        within = np.isin(local.month, _SPRING)
    values = other["value"].to_numpy(np.float64) * fault.factor
    if fault.added_kw is not None:
        values = values + fault.added_kw(local)
    if fault.holds:
        values = np.full(len(values), values[within][0])
    changed = frame.assign(value=np.where(within, values, frame["value"].to_numpy(np.float64)))
    return changed[~within].reset_index(drop=True) if fault.falls_silent else changed
