"""Sums of the last 7 and 30 days for all meters and groups; only days that changed are read again.

Belongs here: which days are added up again, and the sum over days. Not here: the statements
(`adapters.lake.fleet_sums`), what the sums mean (`fleet`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.adapters.lake.day_stretches import day_stretches
from usage_platform.adapters.lake.fleet_sums import (
    DaySums,
    Spans,
    SumMember,
    day_sums,
)
from usage_platform.adapters.lake.reader import DayFiles, LakeReader
from usage_platform.adapters.lake.tables import USAGE_HOURLY
from usage_platform.core.fleet.groups import Group, Member
from usage_platform.core.fleet.meter_row import MONTH_HOURS, WEEK_HOURS
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.core.time.units import NS_AN_HOUR
from usage_platform.services.fleet_expected import ExpectedHours

MOST_HOURS = 1_000_000
"""Rows of `usage_hourly` that are summed at once: four days of 10,000 meters."""

_A_DAY = timedelta(days=1)
_ENERGIES = (
    "month_kwh",
    "month_compared",
    "month_expected",
    "week_kwh",
    "week_compared",
    "week_expected",
)
_GROUP_COUNTS = ("month_hours", "month_complete", "week_hours", "week_complete")
_GROUP_ENERGIES = ("month_kwh", "week_kwh")


@dataclass(frozen=True)
class _DayKey:
    """What the sums of a day depend on; the same key, the same sums."""

    files: frozenset[str]
    month_start: pd.Timestamp
    week_start: pd.Timestamp
    hour_end: pd.Timestamp
    model: str
    members: int


@dataclass(frozen=True, eq=False)
class FleetSums:
    """Sums over the last days.

    Attributes:
        spans: Of what.
        meters: By meter, sorted: the energies of `day_sums` in kWh, NaN where there is none;
            `week_n`; `first_hour` and `newest` (ns since 1970 UTC).
        lines: Shape (meters, 168): the mean of each hour of the last 7 days, kW; NaN where there is
            none.
        groups: By the position of a group: hours, complete hours and their energy.
    """

    spans: Spans
    meters: pd.DataFrame
    lines: npt.NDArray[np.float32]
    groups: pd.DataFrame


def spans_until(end: pd.Timestamp) -> Spans:
    """The last 7 and 30 days.

    Args:
        end: The end of their last hour, UTC.
    """
    return Spans(end - pd.Timedelta(hours=MONTH_HOURS), end - pd.Timedelta(hours=WEEK_HOURS), end)


def sum_members(groups: Sequence[Group], registry: MeterRegistry) -> tuple[SumMember, ...]:
    """The members of all groups, with instants for local days.

    Args:
        groups: The groups; a sum has the number of its position.
        registry: Gives each meter's time zone.
    """
    return members_of_sums([group.members for group in groups], registry)


def members_of_sums(
    sums: Sequence[Sequence[Member]], registry: MeterRegistry
) -> tuple[SumMember, ...]:
    """The members of some sums, with instants for local days.

    Args:
        sums: The members of each; a sum has the number of its position.
        registry: Gives each meter's time zone.
    """
    return tuple(
        SumMember(
            position,
            member.meter,
            member.sign,
            _start_of(member.since, member.meter, registry),
            _start_of(member.until, member.meter, registry),
        )
        for position, members in enumerate(sums)
        for member in members
    )


def _start_of(day: date | None, meter: str, registry: MeterRegistry) -> pd.Timestamp | None:
    return None if day is None else local_day_bounds(day, registry.get(meter).timezone)[0]


class HourSums:
    """The sums of each day, as of some versions of the table, the model and the groups."""

    def __init__(self, reader: LakeReader, expected: ExpectedHours) -> None:
        self._reader = reader
        self._expected = expected
        self._keys: dict[date, _DayKey] = {}
        self._meters: dict[date, pd.DataFrame] = {}
        self._groups: dict[date, pd.DataFrame] = {}

    def follow(self, files: DayFiles, members: tuple[SumMember, ...], spans: Spans) -> FleetSums:
        """Add up what has changed, and sum over the days.

        Args:
            files: The files of `usage_hourly` now.
            members: From `sum_members`.
            spans: From `spans_until`.

        Raises:
            LakeError: When the lake cannot be read.
        """
        first = spans.month_start.date()
        last = max([spans.hour_end.date(), *files.files])
        # Also the days without a file: a group's hours are due on them.
        days = [first + n * _A_DAY for n in range((last - first).days + 1)]
        self._expected.follow(first, last)
        keys = {day: self._key(day, files, spans, hash(members)) for day in days}
        for day in {*self._meters, *self._groups} - set(keys):
            self._forget(day)
        changed = [day for day in days if self._keys.get(day) != keys[day]]
        for day in changed:
            self._forget(day)
        for stretch in day_stretches(self._reader, USAGE_HOURLY, changed, MOST_HOURS):
            expected = self._expected.between(*stretch)
            self._keep(day_sums(self._reader, stretch, spans, expected, members))
        self._keys = keys
        meters = self._of_meters()
        return FleetSums(spans, meters, self._lines(spans, meters.index), self._of_groups())

    def _key(self, day: date, files: DayFiles, spans: Spans, members: int) -> _DayKey:
        begin = pd.Timestamp(day, tz="UTC")
        end = begin + pd.Timedelta(days=1)

        def within(at: pd.Timestamp) -> pd.Timestamp:
            return min(max(at, begin), end)

        return _DayKey(
            files=files.files.get(day, frozenset()),
            month_start=within(spans.month_start),
            week_start=within(spans.week_start),
            hour_end=within(spans.hour_end),
            model=self._expected.version,
            members=members,
        )

    def _keep(self, sums: DaySums) -> None:
        for rows, kept in ((sums.meters, self._meters), (sums.groups, self._groups)):
            for day, part in rows.groupby(rows["day"].map(pd.Timestamp), sort=False):
                kept[day.date()] = part

    def _forget(self, day: date) -> None:
        self._keys.pop(day, None)
        self._meters.pop(day, None)
        self._groups.pop(day, None)

    def _of_meters(self) -> pd.DataFrame:
        columns = ["meter", *_ENERGIES, "week_n", "first_hour", "newest"]
        parts = [part[columns] for part in self._meters.values()]
        if not parts:
            return pd.DataFrame(columns=columns).set_index("meter")
        rows = pd.concat(parts, ignore_index=True)
        for name in ("first_hour", "newest"):
            rows[name] = rows[name].to_numpy("datetime64[ns]").astype(np.int64)
        by_meter = rows.groupby("meter", sort=True)
        return pd.concat(
            [
                by_meter[list(_ENERGIES)].sum(min_count=1),
                by_meter["week_n"].sum(),
                by_meter["first_hour"].min(),
                by_meter["newest"].max(),
            ],
            axis=1,
        )

    def _lines(self, spans: Spans, meters: pd.Index) -> npt.NDArray[np.float32]:
        lines = np.full((len(meters), WEEK_HOURS), np.nan, dtype=np.float32)
        for part in self._meters.values():
            counts = part["line_kw"].map(len)
            if counts.any():
                at = np.repeat(meters.get_indexer(pd.Index(part["meter"])), counts)
                starts = np.concatenate(part["line_start"].to_numpy())
                since = starts.astype("datetime64[ns]").astype(np.int64) - spans.week_start.value
                lines[at, since // NS_AN_HOUR] = np.concatenate(part["line_kw"].to_numpy())
        return lines

    def _of_groups(self) -> pd.DataFrame:
        columns = ["sum", *_GROUP_COUNTS, *_GROUP_ENERGIES]
        parts = [part[columns] for part in self._groups.values() if len(part)]
        if not parts:
            return pd.DataFrame(columns=columns).set_index("sum")
        by_group = pd.concat(parts, ignore_index=True).groupby("sum")
        counts = by_group[list(_GROUP_COUNTS)].sum()
        return counts.join(by_group[list(_GROUP_ENERGIES)].sum(min_count=1))
