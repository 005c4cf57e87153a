"""The truth about the generated site: what should be found of its planted faults.

Belongs here: the energy and the time of each. Not here: the faults (`site_plan`), the loads
(`site_loads`), what is found of them (`core.evaluation`).

The truth is the difference between the site with a fault and the same site without it: all
randomness of both is the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pandas as pd

from usage_platform.core.arrays import Floats
from usage_platform.core.generator.site_loads import BuildingLoads, end_of, span_of
from usage_platform.core.generator.site_plan import (
    BUILDINGS,
    COUNTRY,
    PLANTED_FAULTS,
    SUBDIVISION,
    PlantedFault,
    SiteBuilding,
)
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.day_numbers import day_number, day_of
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.core.time.units import NS_A_DAY

_RECENT_DAYS = 28
_SUM_DAYS = 14
_DAYS_A_YEAR = 365
_SATURDAY = 5


@dataclass(frozen=True)
class PlantedFinding:
    """What should be found of a planted fault.

    Attributes:
        meter: The meter that it is about.
        kind: The text of a `FindingKind`.
        start: Start of the time that it is about, UTC.
        end: End of it, exclusive, UTC.
        kwh: Energy of the fault in that time: drawn, or not measured. Of what lasts, in the last
            four weeks.
        kwh_per_year: The same in a year if it continues; None for what happens once.
    """

    meter: str
    kind: str
    start: pd.Timestamp
    end: pd.Timestamp
    kwh: float
    kwh_per_year: float | None


def planted_findings(seed: int, days: int) -> list[PlantedFinding]:
    """What should be found of the site at the end of its readings.

    Arguments are those of `generated_meters`.

    Returns:
        In the order of the plan; nothing of a fault that begins after the end.
    """
    found: list[PlantedFinding] = []
    for building in BUILDINGS:
        faults = [one for one in PLANTED_FAULTS if one.building == building.name]
        healthy = BuildingLoads.of(building, seed, days, planted=())
        drawn = BuildingLoads.of(building, seed, days)
        for fault in faults:
            # Drawn by the load, or drawn and not measured.
            without = healthy.loads[fault.part] if fault.changed else drawn.measured(fault.part)
            excess = drawn.loads[fault.part] - without
            found += _truth(building, fault, drawn, excess)
    return found


def lasting_spans(days: int) -> pd.DataFrame:
    """The times in which planted faults change readings, of the sub-meters and the main meters.

    Args:
        days: Local days from `FIRST_DAY` on.

    Returns:
        meter, start and end (exclusive; both datetime64[ns, UTC]).
    """
    rows: list[tuple[str, int, int]] = []
    for building in BUILDINGS:
        end = end_of(building, days)
        for fault in PLANTED_FAULTS:
            if fault.building != building.name:
                continue
            # The main meter measures another load, but nothing of a fault of the sub-meter.
            main = [building.name] if fault.changed else []
            names = [building.sub_name(fault.part), *main]
            rows += [(name, *span) for span in _spans(building, fault, end) for name in names]
    columns = ["meter", "start", "end"]
    instant = "datetime64[ns, UTC]"
    return pd.DataFrame(rows, columns=columns).astype({"start": instant, "end": instant})


def _spans(building: SiteBuilding, fault: PlantedFault, end: int) -> list[tuple[int, int]]:
    """When a fault changes readings, ns since 1970 UTC."""
    begin, stop = span_of(building, fault, end)
    if fault.kind != "holiday_operation":
        return [(begin, stop)]
    zone = building.main.timezone
    last = (pd.Timestamp(stop, tz="UTC") - pd.Timedelta(days=1)).tz_convert(zone).date()
    days = [local_day_bounds(day, zone) for day in _working_holidays(fault.first, last)]
    return [(first.value, after.value) for first, after in days]


def _truth(
    building: SiteBuilding, fault: PlantedFault, drawn: BuildingLoads, excess: Floats
) -> Iterator[PlantedFinding]:
    """What should be found of one fault.

    Args:
        building: Its building.
        fault: It.
        drawn: Gives the instants.
        excess: Shape (instants,): its power, kW.
    """
    begin, end = span_of(building, fault, drawn.end)
    if begin >= drawn.end:
        return
    name = building.name if fault.shows_on_main else building.sub_name(fault.part)

    def finding(start: int, stop: int, times_a_year: float | None) -> PlantedFinding:
        within = (drawn.instants >= start) & (drawn.instants < stop)
        kwh = float(excess[within].sum()) * building.main.interval_minutes / 60
        return PlantedFinding(
            meter=name,
            kind=fault.kind,
            start=pd.Timestamp(start, tz="UTC"),
            end=pd.Timestamp(stop, tz="UTC"),
            kwh=kwh,
            kwh_per_year=None if times_a_year is None else kwh * times_a_year,
        )

    if fault.holds:
        # Its energy is measured too high or too low, and none is lost.
        yield replace(finding(begin, end, None), kwh=0.0)
    elif fault.shows_on_main:
        yield finding(max(begin, drawn.days_before_end(_SUM_DAYS)), end, None)
    elif fault.kind == "holiday_operation":
        last = drawn.last_day
        tomorrow = last + timedelta(days=1)
        coming = len(_working_holidays(tomorrow, last + timedelta(days=_DAYS_A_YEAR)))
        for span in _spans(building, fault, drawn.end):
            yield finding(*span, coming)
    else:
        start = max(begin, drawn.days_before_end(_RECENT_DAYS))
        yield finding(start, end, _DAYS_A_YEAR / ((end - start) / NS_A_DAY))


def _working_holidays(first: date, last: date) -> list[date]:
    """Public holidays from Monday to Friday, both ends included."""
    calendar = Calendar(COUNTRY, SUBDIVISION)
    found = calendar.rest_days(day_number(first), day_number(last))
    days = [day_of(int(one)) for one in found]
    return [day for day in days if day.weekday() < _SATURDAY]
