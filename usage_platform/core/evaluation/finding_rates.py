"""Which lasting faults become findings, and how many findings healthy meters have.

Belongs here: findings of generated buildings with one fault each, and of whole series quarter by
quarter. Not here: the findings (`core.findings`), the faults (`core.generator.lasting_faults`).
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from usage_platform.core.findings.find import find
from usage_platform.core.findings.finding import Finding, FindingKind
from usage_platform.core.findings.sub_meters import RECENT_DAYS, sub_meter_finding
from usage_platform.core.generator.building import BuildingProfile, building_load
from usage_platform.core.generator.lasting_faults import faulty_building
from usage_platform.core.load.days import day_totals
from usage_platform.core.load.series import PowerSeries
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.core.time.quarters import first_of_quarter
from usage_platform.core.time.units import instants_of

START = date(2023, 1, 2)
FAULT_DAYS = {
    FindingKind.HOLIDAY_OPERATION: date(2024, 5, 26),
    FindingKind.PEAK_ABOVE_LAST_YEAR: date(2024, 2, 20),
    FindingKind.NEW_HIGHEST_PEAK: date(2024, 6, 18),
    FindingKind.SILENT: date(2024, 6, 27),
}
"""When a fault begins, where it is not at the begin of the second quarter."""

_USUAL_FAULT_DAY = date(2024, 4, 15)
_LEAST_DAYS = 150
_SUB_SHARES = (0.5, 0.3)
CALENDAR = Calendar("US", "MA")


@dataclass(frozen=True)
class QuarterFindings:
    """The findings of a quarter, made on the day after it.

    Attributes:
        first: The first day of the quarter.
        findings: They.
    """

    first: date
    findings: tuple[Finding, ...]


def is_found(kind: FindingKind, meter: Meter, seed: int) -> bool:
    """Whether a fault leads to a finding of its kind that the healthy building does not have.

    Args:
        kind: The kind.
        meter: The building's meter.
        seed: The building.
    """
    begin = FAULT_DAYS.get(kind, _USUAL_FAULT_DAY)
    after = (first_of_quarter(begin) + timedelta(days=93)).replace(day=1)
    days = (after - START).days
    if kind is FindingKind.SUB_METERS:
        return _is_missing_sub_meter_found(meter, seed, days)
    frames = (
        faulty_building(kind, meter, START, days, begin, seed),
        healthy_building(meter, days, seed),
    )
    as_of = local_day_bounds(after, meter.timezone)[0].value
    faulty, healthy = (
        {one.id for one in find(_series(frame), meter, CALENDAR, as_of) if one.kind is kind}
        for frame in frames
    )
    return bool(faulty - healthy)


def quarters(series: Series, meter: Meter, calendar: Calendar) -> list[QuarterFindings]:
    """The findings of each whole quarter from five months after the first reading on."""
    first, newest = (
        pd.Timestamp(int(series.instants[at]), tz="UTC").tz_convert(meter.zone) for at in (0, -1)
    )
    end_of_series = newest + pd.Timedelta(minutes=meter.interval_minutes)
    found: list[QuarterFindings] = []
    for end in pd.date_range(first.tz_localize(None), end_of_series.tz_localize(None), freq="QS"):
        start = (end - pd.DateOffset(months=3)).date()
        if (end.date() - first.date()).days < _LEAST_DAYS:
            continue
        as_of = local_day_bounds(end.date(), meter.timezone)[0].value
        found.append(QuarterFindings(start, tuple(find(series, meter, calendar, as_of))))
    return found


def _is_missing_sub_meter_found(meter: Meter, seed: int, days: int) -> bool:
    """Two sub-meters, one of which stops counting two weeks before the end."""
    series = _series(healthy_building(meter, days, seed))
    totals = day_totals(PowerSeries.unscored(meter, series.instants, series.values), None)
    main = np.array([one.energy_kwh for one in totals])
    one, other = (share * main for share in _SUB_SHARES)
    adding_up = sub_meter_finding(meter, START, main, one + other)
    other[-RECENT_DAYS:] = 0.0
    return adding_up is None and sub_meter_finding(meter, START, main, one + other) is not None


def healthy_building(meter: Meter, days: int, seed: int) -> pd.DataFrame:
    """The library of a seed without a fault, from `START` on."""
    return building_load(meter, START, days, BuildingProfile(), np.random.default_rng(seed))


def _series(frame: pd.DataFrame) -> Series:
    return Series(instants_of(frame.loc[:, "ts"]), frame["value"].to_numpy(np.float64))
