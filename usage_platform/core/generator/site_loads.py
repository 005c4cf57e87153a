"""What the buildings of the generated site draw, and what its meters measure of it.

Belongs here: the loads of parts, planted faults in them, and readings of a load. Not here: the plan
(`site_plan`), which meters there are (`site`), the energy of faults (`site_truth`).
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.generator.building import (
    BuildingProfile,
    building_load,
    expected_instants,
    round_to_step,
)
from usage_platform.core.generator.site_plan import (
    FIRST_DAY,
    PLANTED_FAULTS,
    SUB_MINUTES,
    PlantedFault,
    SiteBuilding,
)
from usage_platform.core.meters import Meter
from usage_platform.core.time.local_time import clock_instant, local_day_bounds
from usage_platform.core.time.units import NS_AN_HOUR

_LOST_SHARE = 0.0004


@dataclass(frozen=True, eq=False)
class BuildingLoads:
    """The loads of a building, n intervals of its main meter.

    Attributes:
        building: The building.
        seed: Gives all randomness.
        planted: The faults that are planted.
        instants: Shape (n,): starts of the intervals, ns since 1970 UTC.
        end: The first instant after them.
        last_day: The last local day.
        loads: Shape (n,) each: what is drawn by each part, kW.
        rest: Shape (n,): what is drawn beside them, kW.
    """

    building: SiteBuilding
    seed: int
    planted: Sequence[PlantedFault]
    instants: Ints
    end: int
    last_day: date
    loads: dict[str, Floats]
    rest: Floats

    @classmethod
    def of(
        cls,
        building: SiteBuilding,
        seed: int,
        days: int,
        planted: Sequence[PlantedFault] = PLANTED_FAULTS,
    ) -> "BuildingLoads":
        """The loads of whole local days.

        Args:
            building: The building.
            seed: Gives all randomness.
            days: Local days from `FIRST_DAY` on.
            planted: The faults that are planted, those of other buildings may be among them; none
                for a healthy building.
        """
        own = tuple(one for one in planted if one.building == building.name)
        last = FIRST_DAY + timedelta(days=days - 1)
        instants = expected_instants(building.main, FIRST_DAY, days)
        made = cls(
            building,
            seed,
            own,
            instants.asi8,
            end_of(building, days),
            last,
            {},
            _part_load(building, "", building.rest, seed, days),
        )
        for part, profile in building.parts.items():
            load = _part_load(building, part, profile, seed, days)
            for fault in own:
                if fault.part != part or fault.changed is None:
                    continue
                begin, end = span_of(building, fault, made.end)
                other = _part_load(building, part, fault.changed(profile), seed, days)
                load = np.where((made.instants >= begin) & (made.instants < end), other, load)
            made.loads[part] = load
        return made

    @property
    def total(self) -> Floats:
        """What the whole building draws, kW."""
        return self.rest + np.sum([*self.loads.values()], axis=0)

    def measured(self, part: str) -> Floats:
        """What the sub-meter of a part measures of its load, kW."""
        measured = self.loads[part]
        for fault in self.planted:
            if fault.part != part:
                continue
            begin, end = span_of(self.building, fault, self.end)
            within = (self.instants >= begin) & (self.instants < end)
            if fault.holds and within.any():
                measured = np.where(
                    within, self._by_interval(measured, SUB_MINUTES)[within][0], measured
                )
            measured = np.where(within, fault.counted * measured, measured)
        return measured

    def reading(self, meter: Meter, power: Floats, step_kw: float) -> pd.DataFrame:
        """The readings of a power: means of the meter's intervals, of which few get lost."""
        steps = meter.interval_minutes // self.building.main.interval_minutes
        kept = rng_of(self.seed, meter.name, "lost").random(len(power) // steps) >= _LOST_SHARE
        values = round_to_step(power.reshape(-1, steps).mean(axis=1), step_kw)
        instants = pd.DatetimeIndex(self.instants[::steps], tz="UTC").as_unit("ns")
        return pd.DataFrame({"ts": instants[kept], "value": values[kept]})

    def days_before_end(self, days: int) -> int:
        """The local midnight so many days before the end, ns since 1970 UTC."""
        first = self.last_day - timedelta(days=days - 1)
        return local_day_bounds(first, self.building.main.timezone)[0].value

    def _by_interval(self, power: Floats, minutes: int) -> Floats:
        """The mean of the longer interval that each instant is in."""
        steps = minutes // self.building.main.interval_minutes
        return np.repeat(power.reshape(-1, steps).mean(axis=1), steps)


def end_of(building: SiteBuilding, days: int) -> int:
    """The first instant after the readings, ns since 1970 UTC."""
    return local_day_bounds(FIRST_DAY + timedelta(days=days - 1), building.main.timezone)[1].value


def span_of(building: SiteBuilding, fault: PlantedFault, end: int) -> tuple[int, int]:
    """From when until when a fault lasts, at most until `end`; ns since 1970 UTC."""
    at = clock_instant(fault.first, 60 * fault.hour, building.main.zone, is_first=True)
    begin = min(end, pd.Timestamp(at).value)
    return begin, end if fault.hours is None else min(end, begin + fault.hours * NS_AN_HOUR)


def _part_load(
    building: SiteBuilding, part: str, profile: BuildingProfile, seed: int, days: int
) -> Floats:
    """What a part draws, kW; the rest is the part without a name.

    A load has no meter yet: nothing of it is lost, and it is finer than any meter.
    """
    exact = replace(profile, step_kw=0.001, lost_share=0.0, gap_hours=(0.0, 0.0))
    name = building.sub_name(part)
    rng, weather = rng_of(seed, name, "load"), rng_of(seed, "", "weather")
    frame = building_load(building.main, FIRST_DAY, days, exact, rng, weather)
    return frame["value"].to_numpy(np.float64)


def rng_of(seed: int, name: str, purpose: str) -> np.random.Generator:
    """The randomness of one purpose: it depends on nothing else that is generated."""
    return np.random.default_rng([seed, zlib.crc32(f"{name}\n{purpose}".encode())])
