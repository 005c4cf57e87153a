"""What all meters cost: the last 30 days, and their open episodes at the prices of their hours.

Belongs here: which days are added up again, and the sum over days. Not here: the statements
(`adapters.lake.fleet_costs`), what the figures mean (`core.fleet.meter_cost`).
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from usage_platform.adapters.lake.day_stretches import day_stretches
from usage_platform.adapters.lake.fleet_costs import (
    EPISODE_COLUMNS,
    METER_COLUMNS,
    DayCosts,
    day_costs,
)
from usage_platform.adapters.lake.fleet_sums import Spans
from usage_platform.adapters.lake.reader import DayFiles, LakeReader
from usage_platform.adapters.lake.tables import USAGE_COST
from usage_platform.core.fleet.meter_cost import MeterCost, Stake

MOST_HOURS = 1_000_000
"""Rows of `usage_cost` that are summed at once: four days of 10,000 meters."""

_A_DAY = timedelta(days=1)
_SUMS = ["hours", "cost", "priced_cost", "priced_kwh"]


@dataclass(frozen=True)
class _DayKey:
    """What the sums of a day depend on; the same key, the same sums."""

    costs: frozenset[str]
    anomalies: frozenset[str]
    month_start: pd.Timestamp
    week_start: pd.Timestamp
    hour_end: pd.Timestamp


class CostSums:
    """The sums of each day, as of some versions of the tables `usage_cost` and `anomalies`."""

    def __init__(self, reader: LakeReader) -> None:
        self._reader = reader
        self._keys: dict[date, _DayKey] = {}
        self._days: dict[date, DayCosts] = {}

    def follow(
        self, costs: DayFiles, anomalies: DayFiles, spans: Spans, reviewed: set[tuple[str, str]]
    ) -> dict[str, MeterCost]:
        """What each meter costs, up to date with the tables.

        Args:
            costs: The files of `usage_cost` now.
            anomalies: The files of `anomalies` now.
            spans: The last 7 and 30 days.
            reviewed: The episodes that somebody has acknowledged or labelled: meter and name.

        Returns:
            By meter; none for a meter without a priced hour in the longer span.

        Raises:
            LakeError: When a table cannot be read.
        """
        if not costs.files:
            return {}
        first, week = spans.month_start.date(), spans.week_start.date()
        # A day of anomalies may have no costs yet: they are computed at night.
        days = {*(day for day in costs.files if day >= first)}
        days |= {day for day in anomalies.files if day >= week}
        keys = {day: _key(day, costs, anomalies, spans) for day in days}
        for day in [day for day, key in self._keys.items() if keys.get(day) != key]:
            del self._keys[day], self._days[day]
        changed = sorted(day for day in keys if day not in self._keys)
        for stretch in day_stretches(self._reader, USAGE_COST, changed, MOST_HOURS):
            within = [day for day in changed if stretch[0] <= day <= stretch[1]]
            has_anomalies = any(keys[day].anomalies for day in within)
            found = day_costs(self._reader, stretch, spans, has_anomalies=has_anomalies)
            self._keep(found, {day: keys[day] for day in within})
        return self._of_meters(reviewed)

    def _keep(self, found: DayCosts, keys: dict[date, _DayKey]) -> None:
        meters = dict(list(found.meters.groupby(found.meters["day"].map(pd.Timestamp))))
        episodes = dict(list(found.episodes.groupby(found.episodes["day"].map(pd.Timestamp))))
        self._keys |= keys
        for day in keys:
            at = pd.Timestamp(day)
            self._days[day] = DayCosts(
                meters.get(at, found.meters.head(0)), episodes.get(at, found.episodes.head(0))
            )

    def _of_meters(self, reviewed: set[tuple[str, str]]) -> dict[str, MeterCost]:
        parts = [one.meters for one in self._days.values() if len(one.meters)]
        if not parts:
            return {}
        rows = pd.concat(parts, ignore_index=True)[METER_COLUMNS[1:]]
        by_meter = rows.groupby(["meter", "currency"])[_SUMS].sum().reset_index("currency")
        # Amounts in two currencies have no sum.
        by_meter = by_meter[~by_meter.index.duplicated(keep=False)]
        mean = by_meter["priced_cost"] / by_meter["priced_kwh"].replace(0.0, np.nan)
        stakes = self._stakes(mean, reviewed)
        columns = [
            *(by_meter[name].tolist() for name in ("currency", "cost", "hours")),
            mean.tolist(),
            *(stakes[name].tolist() for name in ("amount", "is_estimate")),
        ]
        return {
            str(name): MeterCost(
                currency, cost, hours, price, Stake(amount, is_estimate=is_estimate)
            )
            for name, currency, cost, hours, price, amount, is_estimate in zip(
                by_meter.index, *columns, strict=True
            )
        }

    def _stakes(self, mean: pd.Series, reviewed: set[tuple[str, str]]) -> pd.DataFrame:
        """`amount` and `is_estimate` by meter.

        Args:
            mean: By meter, its mean price; NaN where there is none.
            reviewed: The episodes that are not open.
        """
        stakes = pd.DataFrame({"amount": 0.0, "is_estimate": False}, index=mean.index)
        parts = [one.episodes for one in self._days.values() if len(one.episodes)]
        if not parts:
            return stakes
        rows = pd.concat(parts, ignore_index=True)[EPISODE_COLUMNS[1:]]
        is_open = rows["meter"].isin(mean.index)
        if reviewed:
            names = pd.MultiIndex.from_frame(rows[["meter", "episode"]])
            is_open &= ~names.isin(list(reviewed))
        by_episode = (
            rows[is_open]
            .groupby(["meter", "episode"], as_index=False)
            .agg(
                cost=("cost", "sum"),
                unpriced_kwh=("unpriced_kwh", "sum"),
                is_estimate=("is_estimate", "any"),
            )
        )
        estimated = by_episode["unpriced_kwh"] * by_episode["meter"].map(mean)
        cost = by_episode["cost"] + estimated.where(by_episode["is_estimate"], 0.0)
        found = (
            by_episode.assign(amount=cost.clip(lower=0.0), is_unknown=cost.isna())
            .groupby("meter")
            .agg({"amount": "sum", "is_unknown": "any", "is_estimate": "any"})
        )
        # A cost that is not known is not 0.
        found["amount"] = found["amount"].mask(found["is_unknown"])
        stakes.loc[found.index] = found[["amount", "is_estimate"]]
        return stakes


def _key(day: date, costs: DayFiles, anomalies: DayFiles, spans: Spans) -> _DayKey:
    begin = pd.Timestamp(day, tz="UTC")
    end = begin + pd.Timedelta(days=1)

    def within(at: pd.Timestamp) -> pd.Timestamp:
        return min(max(at, begin), end)

    is_in_week = end > spans.week_start
    return _DayKey(
        costs=costs.files.get(day, frozenset()),
        anomalies=anomalies.files.get(day, frozenset()) if is_in_week else frozenset(),
        month_start=within(spans.month_start),
        week_start=within(spans.week_start),
        hour_end=within(spans.hour_end),
    )
