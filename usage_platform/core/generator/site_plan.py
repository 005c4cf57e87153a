"""The generated site: three buildings with sub-meters, and what is planted in them.

Belongs here: what each building consists of, and which lasting faults it has. Not here: making
readings of it, and the energy of the faults (`site`).

All of it is made up. A building is its sub-meters and the rest that none of them measures, each a
load of its own; the main meter measures their sum.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from usage_platform.core.generator.building import BuildingProfile
from usage_platform.core.meters import DEFAULT_METER_NAME, DEFAULT_TIMEZONE, Meter
from usage_platform.core.time.opening_hours import OpenHours

FIRST_DAY = date(2023, 5, 29)
DAYS = 392
"""A year and four weeks: findings compare the last four weeks with the same ones a year before."""

MAIN_MINUTES, SUB_MINUTES = 30, 60
"""Intervals of the main meters, as demand charges need them, and of the sub-meters."""

SITE_NAME = "Example site"
COUNTRY, SUBDIVISION = "US", "MA"
"""Whose public holidays the buildings keep."""

_ABROAD = "JP"
"""A country that has no holiday in the weeks in which a plant ignores those of the site."""


@dataclass(frozen=True)
class SiteBuilding:
    """A building of the site.

    Attributes:
        name: Its name, which is that of its main meter.
        kind: What it is, for people.
        area_m2: Its area.
        parts: What each sub-meter measures, by the sub-meter's name without the building's.
        rest: What no sub-meter measures.
        step_kw: Resolution of the main meter.
    """

    name: str
    kind: str
    area_m2: float
    parts: Mapping[str, BuildingProfile]
    rest: BuildingProfile
    step_kw: float

    @property
    def main(self) -> Meter:
        """The main meter."""
        return Meter(self.name, DEFAULT_TIMEZONE, MAIN_MINUTES)

    @property
    def sub_meters(self) -> tuple[Meter, ...]:
        """The sub-meters, in the order of the parts."""
        return tuple(
            Meter(self.sub_name(part), DEFAULT_TIMEZONE, SUB_MINUTES) for part in self.parts
        )

    @property
    def rest_name(self) -> str:
        """The name of the virtual meter that is the main meter minus the sub-meters."""
        return f"{self.name} rest"

    def sub_name(self, part: str) -> str:
        """The name of a part's sub-meter."""
        return f"{self.name}-{part}"


@dataclass(frozen=True)
class PlantedFault:
    """What is wrong with a part of a building, or with its sub-meter, from a time on.

    Attributes:
        building: The building's name.
        part: The part.
        kind: The kind of finding that it is to lead to; the text of a `FindingKind`.
        first: The local day on which it begins.
        hour: The hour of that day.
        hours: How long it lasts; None until the end.
        changed: What the part is with the fault; None where its load stays what it is.
        counted: Share of the load that the sub-meter measures.
        holds: Whether the sub-meter repeats its first reading.
        shows_on_main: Whether the finding is about the main meter, and not about the sub-meter.
    """

    building: str
    part: str
    kind: str
    first: date
    hour: int = 0
    hours: int | None = None
    changed: Callable[[BuildingProfile], BuildingProfile] | None = None
    counted: float = 1.0
    holds: bool = False
    shows_on_main: bool = False


_LIBRARY_DAYS = {
    "weekday": OpenHours(330, 495, 1320, 1.0),
    "saturday": OpenHours(390, 495, 1080, 0.85),
    "rest_day": OpenHours(570, 630, 1050, 0.4),
}
_OFFICE_DAYS = {
    "weekday": OpenHours(360, 450, 1080, 1.0),
    "saturday": OpenHours(360, 450, 1080, 0.06),
    "rest_day": OpenHours(360, 450, 1080, 0.04),
}
_POOL_DAYS = {
    "weekday": OpenHours(330, 390, 1290, 1.0),
    "saturday": OpenHours(390, 450, 1230, 1.0),
    "rest_day": OpenHours(390, 450, 1170, 0.95),
}


def _load(
    days: Mapping[str, OpenHours], base: float, rise: float, cooling: float
) -> BuildingProfile:
    """A load that varies as much as the library's does, by its size."""
    whole = BuildingProfile()
    return replace(
        whole,
        **days,
        base_kw=base,
        open_kw=rise,
        cooling_kw=cooling,
        noise_kw=whole.noise_kw / whole.base_kw * base,
        open_noise_kw=whole.open_noise_kw / whole.open_kw * rise,
        holiday_country=COUNTRY,
        holiday_subdivision=SUBDIVISION,
    )


BUILDINGS = (
    SiteBuilding(
        DEFAULT_METER_NAME,
        "library",
        9200.0,
        {
            "ventilation": _load(
                {**_LIBRARY_DAYS, "weekday": OpenHours(300, 495, 1320, 1.0)}, 25, 170, 20
            ),
            "server-room": _load(_LIBRARY_DAYS, 90, 4, 6),
        },
        _load(_LIBRARY_DAYS, 160, 330, 110),
        step_kw=1.0,
    ),
    SiteBuilding(
        "town-office",
        "office",
        4100.0,
        {
            "ventilation": _load(_OFFICE_DAYS, 12, 75, 15),
            "canteen": _load({**_OFFICE_DAYS, "weekday": OpenHours(420, 540, 900, 1.0)}, 8, 40, 0),
        },
        _load(_OFFICE_DAYS, 40, 85, 30),
        step_kw=0.5,
    ),
    SiteBuilding(
        "swimming-pool",
        "swimming pool",
        3600.0,
        {
            "pumps": _load(_POOL_DAYS, 95, 8, 0),
            "sauna": _load({**_POOL_DAYS, "weekday": OpenHours(630, 720, 1200, 1.0)}, 3, 55, 0),
        },
        _load(_POOL_DAYS, 55, 85, 20),
        step_kw=0.5,
    ),
)

PLANTED_FAULTS = (
    PlantedFault(
        DEFAULT_METER_NAME,
        "ventilation",
        "early_start",
        date(2024, 5, 6),
        changed=lambda part: replace(part, weekday=replace(part.weekday, plant_on=180)),
    ),
    PlantedFault(
        DEFAULT_METER_NAME,
        "server-room",
        "base_load_increase",
        date(2024, 5, 6),
        changed=lambda part: replace(part, base_kw=part.base_kw + 20),
    ),
    PlantedFault(
        "town-office",
        "ventilation",
        "holiday_operation",
        date(2024, 5, 20),
        changed=lambda part: replace(part, holiday_country=_ABROAD, holiday_subdivision=None),
    ),
    PlantedFault(
        "town-office", "canteen", "flatline", date(2024, 6, 4), hour=14, hours=40, holds=True
    ),
    PlantedFault(
        "swimming-pool",
        "sauna",
        "late_stop",
        date(2024, 5, 13),
        changed=lambda part: replace(part, weekday=replace(part.weekday, close=1320)),
    ),
    PlantedFault(
        "swimming-pool",
        "pumps",
        "sub_meters",
        date(2024, 6, 8),
        counted=0.5,
        shows_on_main=True,
    ),
)
"""A plant that starts too early, servers added, a plant that does not know holidays, a sub-meter
that is stuck, a sauna that stays on, and a sub-meter that no longer measures half of its load."""


def site_meters() -> tuple[Meter, ...]:
    """All meters: each building's main meter and then its sub-meters."""
    return tuple(meter for one in BUILDINGS for meter in (one.main, *one.sub_meters))
