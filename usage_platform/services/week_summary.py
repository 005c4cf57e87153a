"""The figures of the weekly mail, from the fleet and the lake.

Belongs here: what is read, and how the figures of groups and costs come about. Not here: words
(`core.alerts.weekly_summary`), sending (`weekly_mail`).

The week is that of the page of all meters: the seven days up to the newest hour of which a meter
has all readings.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from usage_platform.adapters.lake.fleet_sums import episode_sums
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import ANOMALIES, USAGE_HOURLY
from usage_platform.core.alerts.weekly_summary import MOST_ROWS, Cost, WeekRow, WeekSummary
from usage_platform.core.anomalies.anomaly import records
from usage_platform.core.arrays import Floats
from usage_platform.core.fleet.group_row import GroupRow
from usage_platform.core.fleet.meter_row import WEEK_HOURS, MeterRow
from usage_platform.core.measurement import ReadingUnit
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.tariffs.book import TariffBook
from usage_platform.services.episode_costs import episode_cost
from usage_platform.services.fleet import Fleet

MOST_PRICED = 100
"""Episodes whose cost is computed, those with most energy above or below the expected one."""

_RECENT = timedelta(days=2)


@dataclass(frozen=True)
class WeekSource:
    """Where the figures come from.

    Attributes:
        reader: The lake's tables.
        book: The tariffs.
        registry: The known meters.
        zone: The local time of the mail.
    """

    reader: LakeReader
    book: TariffBook
    registry: MeterRegistry
    zone: ZoneInfo


def week_summary(fleet: Fleet, source: WeekSource) -> WeekSummary | None:
    """The week of all meters; None without a reading in the last 30 days.

    Args:
        fleet: All meters and groups.
        source: Where the rest comes from.

    Raises:
        LakeError: When the lake cannot be read.
    """
    if fleet.hour_end is None:
        return None
    end = pd.Timestamp(fleet.hour_end, tz="UTC")
    start = end - pd.Timedelta(hours=WEEK_HOURS)
    ranked = sorted(fleet.meters, key=lambda row: (-row.rank, row.name))
    rows = {row.name: row for row in fleet.meters}
    episodes = _episodes(source.reader, start, end)
    # What a meter uses too much, its groups do as well.
    episodes = episodes.loc[~episodes["meter"].isin(source.registry.groups)]
    costs, priced = _costs(episodes, end, source)
    return WeekSummary(
        start=start.tz_convert(source.zone).to_pydatetime(),
        end=end.tz_convert(source.zone).to_pydatetime(),
        meters=[_meter(row) for row in ranked[:MOST_ROWS]],
        more_meters=max(len(ranked) - MOST_ROWS, 0),
        groups=[_group(row, rows) for row in fleet.groups[:MOST_ROWS]],
        more_groups=max(len(fleet.groups) - MOST_ROWS, 0),
        hourly_kw=_hourly(fleet.meters),
        new_episodes=sum(pd.Timestamp(str(name)) >= start for name in episodes["episode"]),
        open_episodes=sum(row.open_episodes for row in fleet.meters),
        costs=costs,
        priced=priced,
        unpriced=len(episodes) - priced,
    )


def _meter(row: MeterRow) -> WeekRow:
    week = row.week
    return WeekRow(row.name, week.kwh, week.deviation_kwh, week.expected_kwh, row.open_episodes)


def _group(row: GroupRow, meters: Mapping[str, MeterRow]) -> WeekRow:
    """A group: its deviation is that of its meters, unknown if that of one of them is."""
    terms = {(one.meter, one.sign) for one in row.group.members}
    weeks = [(sign, meters[meter].week) for meter, sign in terms if meter in meters]
    is_known = len(weeks) == len(terms)
    deviation = sum(sign * week.deviation_kwh for sign, week in weeks) if is_known else math.nan
    expected = sum(sign * week.expected_kwh for sign, week in weeks) if is_known else math.nan
    return WeekRow(row.group.name, row.week.kwh, deviation, expected)


def _hourly(rows: Sequence[MeterRow]) -> Floats:
    """The power of all meters together; an hour without one of them is unknown.

    A meter without any reading in the week is left out, and one that is not read in kW.
    """
    total = np.zeros(WEEK_HOURS)
    for row in rows:
        if row.unit is ReadingUnit.KW and not np.isnan(row.line).all():
            total += row.line
    return total


def _episodes(reader: LakeReader, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """`meter`, `episode`, `excess_kwh` of the week's episodes, the largest first."""
    if not reader.exists(ANOMALIES):
        return pd.DataFrame(columns=["meter", "episode", "excess_kwh"])
    found = episode_sums(reader, start, end.date())
    order = found["excess_kwh"].abs().sort_values(ascending=False, kind="stable").index
    return found.loc[order]


def _costs(episodes: pd.DataFrame, end: pd.Timestamp, source: WeekSource) -> tuple[list[Cost], int]:
    """What the largest episodes cost, a sum a currency, and how many of them these are."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    priced = 0
    for row in records(episodes.head(MOST_PRICED)):
        meter = source.registry.get(str(row["meter"]))
        until = end.isoformat()
        found = episode_cost(source.reader, source.book, meter, str(row["episode"]), until)
        if found is not None:
            sums[found[1]] += found[0]
            priced += 1
    return [Cost(amount, unit) for unit, amount in sorted(sums.items())], priced


def has_recent_hours(reader: LakeReader, now: datetime) -> bool:
    """Whether there is an hour of the last two days, as there is while readings arrive.

    Raises:
        LakeError: When the table cannot be read.
    """
    span = reader.span(USAGE_HOURLY, "start")
    return span is not None and now - span[1].to_pydatetime() <= _RECENT
