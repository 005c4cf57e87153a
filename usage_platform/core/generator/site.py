"""The readings of the generated site, with and without what is planted in it.

Belongs here: the meters with their readings and labels of faults. Not here: the buildings and their
faults (`site_plan`), their loads (`site_loads`), what should be found of them (`site_truth`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from usage_platform.core.generator.fault_kinds import SHORT_KINDS
from usage_platform.core.generator.faults import inject_faults
from usage_platform.core.generator.site_loads import BuildingLoads, rng_of
from usage_platform.core.generator.site_plan import BUILDINGS, FIRST_DAY
from usage_platform.core.meters import Meter
from usage_platform.core.time.local_time import local_day_bounds

_SUB_STEP_KW = 0.1
_FAULTS_PER_WEEK = 0.1
_FAULTS_FROM_DAY = 28


@dataclass(frozen=True, eq=False)
class GeneratedMeter:
    """A meter's readings.

    Attributes:
        meter: The meter.
        frame: ts (datetime64[ns, UTC], ascending) and value (kW).
        faults: The labels of faults as `inject_faults` gives them.
    """

    meter: Meter
    frame: pd.DataFrame
    faults: pd.DataFrame


def generated_meters(seed: int, days: int) -> Iterator[GeneratedMeter]:
    """The meters of the site with all that is planted, building by building, the main meter first.

    Main meters also have the faults that a detector is to find.

    Args:
        seed: All randomness comes from it.
        days: Local days from `FIRST_DAY` on.
    """
    for building in BUILDINGS:
        drawn = BuildingLoads.of(building, seed, days)
        main = building.main
        clean = drawn.reading(main, drawn.total, building.step_kw)
        rng = rng_of(seed, main.name, "faults")
        from_ = local_day_bounds(FIRST_DAY + timedelta(days=_FAULTS_FROM_DAY), main.timezone)[0]
        kinds, step = SHORT_KINDS, building.step_kw
        frame, faults = inject_faults(clean, main, rng, _FAULTS_PER_WEEK, from_, kinds, step)
        yield GeneratedMeter(main, frame, faults)
        for meter, part in zip(building.sub_meters, building.parts, strict=True):
            yield GeneratedMeter(
                meter, drawn.reading(meter, drawn.measured(part), _SUB_STEP_KW), faults.iloc[:0]
            )


def healthy_meters(seed: int, days: int) -> Iterator[GeneratedMeter]:
    """The same meters of the same site without any fault; arguments as for `generated_meters`."""
    for building in BUILDINGS:
        drawn = BuildingLoads.of(building, seed, days, planted=())
        loads = [drawn.total, *(drawn.loads[part] for part in building.parts)]
        steps = [building.step_kw, *(_SUB_STEP_KW for _ in building.parts)]
        meters = (building.main, *building.sub_meters)
        for meter, load, step in zip(meters, loads, steps, strict=True):
            yield GeneratedMeter(meter, drawn.reading(meter, load, step), pd.DataFrame())
