"""Versions of tables that belong together, and the days that have changed.

Belongs here: reading tables as they were at one commit while the writer goes on, and which days
have files that are newer than an instant. Not here: rows (`reader`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd
import pyarrow as pa
from deltalake import DeltaTable

from usage_platform.adapters.lake.day_filters import between
from usage_platform.adapters.lake.delta_tables import open_table
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import Lake, LakeTable

COMMIT_TIME = pd.Timedelta(hours=1)
"""A file is written at most so long before the commit that adds it."""

AT_REST = pd.Timedelta(minutes=10)
"""A micro-batch takes less from its first commit to its last."""

_COMMITS = 1000


class PinnedReader(LakeReader):
    """The tables of a lake at given versions; those without one are the latest."""

    def __init__(self, lake: Lake, versions: Mapping[str, int]) -> None:
        super().__init__(lake)
        self._versions = versions

    def _open(self, table: LakeTable) -> DeltaTable:
        return open_table(self.lake, table, self._versions.get(table.name))


def settled(
    reader: LakeReader, base: LakeTable, derived: LakeTable, now: pd.Timestamp
) -> LakeReader:
    """A table, and the one that it is derived from, in versions that belong together.

    A micro-batch commits the base first and then what it derives from it, one batch after the
    other. So the derived table's latest version belongs to the newest version of the base that was
    committed before it. Where the base's latest commit is `AT_REST` ago no batch is between its
    commits, and the latest versions are taken.
    """
    last = reader.history(derived, 1)
    commits = reader.history(base, _COMMITS)
    newest = max(
        (pd.Timestamp(one["timestamp"], unit="ms", tz="UTC") for one in commits), default=now
    )
    if not last or not commits or now - newest > AT_REST:
        return reader
    before = [one["version"] for one in commits if one["timestamp"] <= last[0]["timestamp"]]
    version = max(before, default=commits[0]["version"])
    return PinnedReader(reader.lake, {derived.name: last[0]["version"], base.name: version})


@dataclass(frozen=True)
class ChangedDays:
    """Days of tables that have changed since an instant.

    Attributes:
        days: UTC dates of the partitions, ascending.
        until: The newest change; the instant from which the next look begins. None where there is
            no row.
    """

    days: tuple[date, ...]
    until: pd.Timestamp | None


def changed_days(
    reader: LakeReader, tables: Collection[LakeTable], since: pd.Timestamp | None
) -> ChangedDays:
    """The days of some tables of which one has files that are newer than an instant.

    Days that one of the tables has and another has not are always among them: of a day whose rows
    were all deleted no file is left that could be new.

    Args:
        reader: The tables; a missing one has no day.
        tables: Which of them.
        since: The instant, UTC; None for all days.
    """
    by_table = [reader.files(table) for table in tables if reader.exists(table)]
    files = pd.concat(by_table) if by_table else pd.DataFrame(columns=["day", "modified"])
    if files.empty:
        return ChangedDays((), None)
    days: list[set[date]] = [set(of_table["day"]) for of_table in by_table]
    uneven = set.union(*days) - set.intersection(*days)
    is_new = True if since is None else files["modified"] > since - COMMIT_TIME
    changed = set(files["day"][is_new]) if since is not None else set.union(*days)
    return ChangedDays(tuple(sorted(changed | uneven)), files["modified"].max())


def newest_by_meter(
    reader: LakeReader, table: LakeTable, column: str, day: date
) -> dict[str, pd.Timestamp]:
    """The newest instant of each meter that has rows on a UTC date; no row stays in memory."""
    newest: dict[str, pd.Timestamp] = {}
    for batch in reader.scan(table, ["meter", column], between(table, day, day)):
        largest = pa.table(batch).group_by("meter").aggregate([(column, "max")])
        instants = pd.DatetimeIndex(largest[f"{column}_max"].to_pandas())
        for name, instant in zip(largest["meter"].to_pylist(), instants, strict=True):
            newest[name] = max(newest.get(name, instant), instant)
    return newest
