"""The rows of the fleet, made of sums, open episodes and the descriptions of meters and groups.

Belongs here: putting together what is known of each meter and group. Not here: reading it
(`fleet`), what a row says (`core.fleet`).
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from usage_platform.core.anomalies.anomaly import records
from usage_platform.core.fleet.group_row import GroupRow, HourSum, group_row
from usage_platform.core.fleet.groups import Groups
from usage_platform.core.fleet.meter_cost import NO_COST, MeterCost
from usage_platform.core.fleet.meter_row import (
    NO_ENERGY,
    NO_LINE,
    Energy,
    MeterRow,
    completeness,
    is_silent,
)
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.fleet_sums import FleetSums

Episode = tuple[str, str]
"""A meter and the name of an episode of it."""


@dataclass(frozen=True)
class OpenEpisodes:
    """The open episodes of a meter.

    Attributes:
        count: How many.
        excess_kwh: Their energy above the expected one.
    """

    count: int
    excess_kwh: float


NONE_OPEN = OpenEpisodes(0, 0.0)


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of the meters beside their sums.

    Attributes:
        registry: Their descriptions.
        groups: Gives the floor areas.
        open_episodes: By meter.
        silent_from: By meter, from when on it was last reported as silent, ns since 1970 UTC.
        modelled: The meters of which something is expected.
        costs: By meter, what it costs.
        as_of: The present in the time of the readings, ns since 1970 UTC.
    """

    registry: MeterRegistry
    groups: Groups
    open_episodes: Mapping[str, OpenEpisodes]
    silent_from: Mapping[str, int]
    modelled: frozenset[str]
    costs: Mapping[str, MeterCost]
    as_of: int


def open_episodes(episodes: pd.DataFrame, reviewed: set[Episode]) -> dict[str, OpenEpisodes]:
    """The episodes that nobody has acknowledged or labelled, by meter.

    Args:
        episodes: `meter`, `episode`, `excess_kwh`; a row an episode.
        reviewed: The episodes that somebody has.
    """
    found: dict[str, OpenEpisodes] = {}
    for row in records(episodes):
        meter = str(row["meter"])
        if (meter, str(row["episode"])) not in reviewed:
            before = found.get(meter, NONE_OPEN)
            excess = (
                0.0
                if row["excess_kwh"] is None or math.isnan(row["excess_kwh"])
                else float(row["excess_kwh"])
            )
            found[meter] = OpenEpisodes(before.count + 1, before.excess_kwh + excess)
    return found


def meter_rows(names: Iterable[str], sums: FleetSums | None, known: Known) -> tuple[MeterRow, ...]:
    """A row a meter, by name.

    Args:
        names: All known meters; those of the sums are added.
        sums: The sums; None without a reading in 30 days.
        known: What else is known.
    """
    summed = {} if sums is None else {row.name: row for row in _summed(sums, known)}
    return tuple(
        summed.get(name) or _without_readings(name, known) for name in sorted({*names, *summed})
    )


def group_rows(groups: Groups, sums: pd.DataFrame, meters: Collection[str]) -> tuple[GroupRow, ...]:
    """A row a group, in their order.

    Args:
        groups: The groups.
        sums: `FleetSums.groups`.
        meters: Names of the groups that have readings of their own.
    """
    by_position = {int(str(at)): row for at, row in sums.to_dict("index").items()}
    return tuple(
        group_row(group, group.name in meters)
        if (row := by_position.get(position)) is None
        else group_row(
            group,
            group.name in meters,
            HourSum(row["week_hours"], row["week_complete"], row["week_kwh"]),
            HourSum(row["month_hours"], row["month_complete"], row["month_kwh"]),
        )
        for position, group in enumerate(groups.groups)
    )


def _summed(sums: FleetSums, known: Known) -> Iterator[MeterRow]:
    end = sums.spans.hour_end.value
    columns = {name: sums.meters[name].to_numpy() for name in sums.meters.columns}
    energy = {name: column.tolist() for name, column in columns.items()}
    for at, name in enumerate(map(str, sums.meters.index)):
        if name in known.registry.groups:
            continue
        opened = known.open_episodes.get(name, NONE_OPEN)
        newest, first = energy["newest"][at], energy["first_hour"][at]
        meter = known.registry.get(name)
        yield MeterRow(
            name=name,
            week=Energy(*(energy[f"week_{part}"][at] for part in ("kwh", "compared", "expected"))),
            month=Energy(
                *(energy[f"month_{part}"][at] for part in ("kwh", "compared", "expected"))
            ),
            has_model=name in known.modelled,
            open_episodes=opened.count,
            open_excess_kwh=opened.excess_kwh,
            completeness=completeness(energy["week_n"][at], first, end, meter.readings_per_hour),
            newest=newest,
            is_silent=is_silent(newest, known.silent_from.get(name), known.as_of),
            kwh_per_m2=_per_area(energy["month_kwh"][at], known.groups.area_of(name)),
            line=sums.lines[at].astype(np.float64),
            cost=known.costs.get(name, NO_COST),
            unit=meter.unit,
        )


def _without_readings(name: str, known: Known) -> MeterRow:
    opened = known.open_episodes.get(name, NONE_OPEN)
    return MeterRow(
        name=name,
        week=NO_ENERGY,
        month=NO_ENERGY,
        has_model=name in known.modelled,
        open_episodes=opened.count,
        open_excess_kwh=opened.excess_kwh,
        completeness=math.nan,
        newest=None,
        is_silent=is_silent(None, None, known.as_of),
        kwh_per_m2=math.nan,
        line=NO_LINE,
        unit=known.registry.get(name).unit,
    )


def _per_area(kwh: float, area: float | None) -> float:
    return math.nan if area is None else kwh / area
