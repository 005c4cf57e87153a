"""One meter's rows of one table in memory, by UTC day; only days that changed are read again.

Belongs here: following a table from version to version. Not here: the meaning of the rows.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import pandas as pd

from usage_platform.adapters.lake.reader import DayFiles, LakeReader
from usage_platform.adapters.lake.tables import LakeTable


class MeterDays:
    """Rows of a table, of one meter and a span of UTC days.

    Args:
        reader: The lake's tables.
        table: The table.
        columns: Which columns.
        meter: Name of the meter.
    """

    def __init__(
        self, reader: LakeReader, table: LakeTable, columns: Sequence[str], meter: str
    ) -> None:
        self._reader = reader
        self._table = table
        self._columns = list(columns)
        self._meter = meter
        self._seen: dict[date, frozenset[str]] = {}
        self._rows: dict[date, pd.DataFrame] = {}

    def follow(self, files: DayFiles, first: date, last: date) -> list[date]:
        """Read the days that have changed.

        Args:
            files: The table's files now.
            first: The first UTC day to hold; rows of earlier days are dropped.
            last: The last UTC day to hold, inclusive.

        Returns:
            The days from `first` on whose rows were read or dropped, ascending. The rows of all
            other days are unchanged, because their files are the same.
        """
        wanted = {day: paths for day, paths in files.files.items() if first <= day <= last}
        gone = [day for day in self._seen if day not in wanted]
        for day in gone:
            del self._seen[day]
            self._rows.pop(day, None)
        changed = sorted(day for day, paths in wanted.items() if self._seen.get(day) != paths)
        for begin, end in _runs(changed):
            self._read(begin, end, wanted)
        return sorted({*changed, *(day for day in gone if day >= first)})

    def rows(self) -> pd.DataFrame:
        """All rows held, by day."""
        parts = [self._rows[day] for day in sorted(self._rows)]
        if not parts:
            return pd.DataFrame(columns=self._columns)
        return pd.concat(parts, ignore_index=True)

    def _read(self, begin: date, end: date, wanted: dict[date, frozenset[str]]) -> None:
        day = self._table.partition
        columns = list(dict.fromkeys([*self._columns, day]))
        rows = self._reader.rows(self._table, columns, begin, end, [self._meter])
        by_day = dict(list(rows.groupby(day, sort=False)))
        for one in (begin + timedelta(days=n) for n in range((end - begin).days + 1)):
            self._rows.pop(one, None)
            if one in by_day:
                self._rows[one] = by_day[one].loc[:, self._columns]
            if one in wanted:
                self._seen[one] = wanted[one]


def _runs(days: list[date]) -> list[tuple[date, date]]:
    """Consecutive days as (first, last) pairs."""
    runs: list[tuple[date, date]] = []
    for day in days:
        if runs and day - runs[-1][1] == timedelta(days=1):
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs
