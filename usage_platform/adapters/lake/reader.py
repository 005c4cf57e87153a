"""Reads the lake's tables without a JVM.

Belongs here: rows, versions and SQL over the Delta tables, for checks, training, status and users.
Not here: writes (`row_writer`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from usage_platform.adapters.lake.bounded_query import (
    bounded_rows,
    check_reads,
    is_out_of_memory,
)
from usage_platform.adapters.lake.database import database
from usage_platform.adapters.lake.day_filters import ALL_DAYS, DayFilter, between, dataset
from usage_platform.adapters.lake.delta_tables import open_table, storage_options
from usage_platform.adapters.lake.errors import (
    LakeError,
    lake_errors_in_one_line,
    one_line,
    what_to_do,
)
from usage_platform.adapters.lake.files import open_remote
from usage_platform.adapters.lake.query_limits import too_much_memory
from usage_platform.adapters.lake.row_filters import of_meters
from usage_platform.adapters.lake.tables import ALL_TABLES, Lake, LakeTable

# In the message of DuckDB when the statement was right and a file of a table could not be read.
_FILE_FAILED = "' failed: IOError: "

# Arrow's 16 of a table of many meters took some hundred MB.
_BATCHES_AHEAD = 2


@dataclass(frozen=True)
class TableState:
    """A table's latest commit.

    Attributes:
        version: Delta version.
        rows: Rows in it.
        files: Data files in it.
        reader_version: Delta reader version that a reader must support.
    """

    version: int
    rows: int
    files: int
    reader_version: int


@dataclass(frozen=True)
class DayFiles:
    """The data files of a table's commit.

    Attributes:
        version: Delta version; -1 where there is no table yet.
        files: The files' paths by day of the partition.
    """

    version: int
    files: Mapping[date, frozenset[str]]

    @classmethod
    def of(cls, table: LakeTable, version: int, actions: pa.Table) -> "DayFiles":
        """Those of a version of a table.

        Args:
            table: The table.
            version: Its version.
            actions: The version's add actions, flattened.
        """
        by_day: dict[date, set[str]] = {}
        days = actions[f"partition.{table.partition}"].to_pylist()
        for day, path in zip(days, actions["path"].to_pylist(), strict=True):
            by_day.setdefault(day, set()).add(path)
        return cls(version, {day: frozenset(paths) for day, paths in by_day.items()})


class LakeReader:
    """The tables of one lake, in their latest version at each call."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake

    def exists(self, table: LakeTable) -> bool:
        """Whether the table exists."""
        if "://" in self.lake.root:
            # Its error is one line and comes sooner; that of Delta's client has fifty lines.
            open_remote(self.lake.root)
        with lake_errors_in_one_line(self.lake.table(table)):
            return DeltaTable.is_deltatable(self.lake.table(table), storage_options(self.lake))

    def state(self, table: LakeTable) -> TableState:
        """The latest commit; zeros where there is no table yet."""
        if not self.exists(table):
            return TableState(version=-1, rows=0, files=0, reader_version=0)
        delta = self._open(table)
        actions = self._actions(table, delta)
        rows = sum(count or 0 for count in actions["num_records"].to_pylist())
        return TableState(
            version=delta.version(),
            rows=rows,
            files=actions.num_rows,
            reader_version=delta.protocol().min_reader_version,
        )

    def properties(self, table: LakeTable) -> dict[str, str]:
        """The properties that were set for a table."""
        return {k: v for k, v in self._open(table).metadata().configuration.items() if v}

    def files(self, table: LakeTable) -> pd.DataFrame:
        """The data files of a table's latest commit.

        Returns:
            `day` (date of the partition), `rows`, `bytes` and `modified` (when it was written,
            UTC), a row a file.
        """
        actions = self._actions(table, self._open(table))
        days = actions[f"partition.{table.partition}"].to_pylist()
        modified = actions["modification_time"].cast(pa.int64()).to_pylist()
        return pd.DataFrame(
            {
                "day": days,
                "rows": actions["num_records"].to_pylist(),
                "bytes": actions["size_bytes"].to_pylist(),
                "modified": pd.to_datetime(modified, unit="ms", utc=True),
            }
        )

    def day_files(self, table: LakeTable) -> DayFiles:
        """The files of each day of a table; the same files hold the same rows."""
        if not self.exists(table):
            return DayFiles(version=-1, files={})
        delta = self._open(table)
        return DayFiles.of(table, delta.version(), self._actions(table, delta))

    def rows(
        self,
        table: LakeTable,
        columns: Sequence[str] | None = None,
        first: date | None = None,
        last: date | None = None,
        meters: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Rows of a table.

        Args:
            table: The table.
            columns: Which columns; all by default.
            first: The first UTC date to read, by the table's partition column.
            last: The last UTC date to read, inclusive.
            meters: Only these meters; all by default.

        Returns:
            A frame; timestamps are datetime64[ns, UTC].

        Raises:
            LakeError: When the table does not exist yet, or cannot be read.
        """
        chosen = None if meters is None else of_meters(meters)
        delta = self._existing(table)
        with lake_errors_in_one_line(self.lake.table(table)):
            data = dataset(delta, between(table, first, last))
            rows = data.to_table(columns=list(columns) if columns else None, filter=chosen)
        return _nanoseconds(rows.to_pandas())

    def scan(
        self,
        table: LakeTable,
        columns: Sequence[str],
        days: DayFilter,
        chosen: pc.Expression | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """The rows of some days, some rows at a time; few of them are in memory at once.

        Args:
            table: The table.
            columns: Which columns; times are in microseconds, UTC.
            days: Which days.
            chosen: A condition on the rows; None for all. Files whose statistics rule it out are
                not opened.

        Raises:
            LakeError: When the table does not exist yet, or cannot be read.
        """
        data = dataset(self._existing(table), days)
        with lake_errors_in_one_line(self.lake.table(table)):
            scanner = data.scanner(list(columns), filter=chosen, batch_readahead=_BATCHES_AHEAD)
            yield from scanner.to_batches()

    def meters(self, table: LakeTable, first: date, last: date) -> list[str]:
        """The meters that have rows in a range of UTC dates, sorted; no row stays in memory.

        Raises:
            LakeError: When the table does not exist yet, or cannot be read.
        """
        names: set[str] = set()
        for batch in self.scan(table, ["meter"], between(table, first, last)):
            names.update(batch["meter"].unique().to_pylist())
        return sorted(names)

    def span(self, table: LakeTable, column: str) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """The smallest and the largest instant of a column that grows with the table's partitions.

        Only the first and the last day are read.

        Returns:
            UTC; None where there is no row, or no table yet.
        """
        if not self.exists(table):
            return None
        actions = self._actions(table, self._open(table))
        days = [day for day in actions[f"partition.{table.partition}"].to_pylist() if day]
        if not days:
            return None
        ends = (min(days), max(days))
        oldest, newest = (self.rows(table, [column], day, day)[column] for day in ends)
        return oldest.min(), newest.max()

    def query(self, sql: str) -> pa.Table:
        """Run SQL over the tables by their names, as Athena does on AWS.

        Raises:
            LakeError: In one line, when the SQL is wrong, is not one statement that reads, or
                returns too many rows.
        """
        import duckdb

        with database() as connection:
            existing = [table for table in ALL_TABLES if self.exists(table)]
            for table in existing:
                connection.register(table.name, dataset(self._open(table), ALL_DAYS))
            # The user's SQL reaches the lake's tables and no other file.
            connection.execute("SET enable_external_access = false")
            try:
                check_reads(connection.extract_statements(sql))
                return bounded_rows(connection, sql)
            except duckdb.CatalogException as error:
                tables = ", ".join(table.name for table in existing) or "none yet"
                raise LakeError(f"query: {one_line(str(error))} Tables: {tables}") from None
            except (duckdb.Error, OSError, MemoryError) as error:
                if is_out_of_memory(error):
                    raise too_much_memory() from None
                if isinstance(error, OSError) or _FILE_FAILED in str(error):
                    reason = what_to_do(error, "://" in self.lake.root)
                    raise LakeError(f"{self.lake.root}: {reason}") from None
                raise LakeError(f"query: {one_line(str(error))}") from None

    def query_rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows of `query`, by column; times are UTC.

        Raises:
            LakeError: As `query` does.
        """
        return self.query(sql).to_pylist()

    def history(self, table: LakeTable, limit: int) -> list[dict[str, Any]]:
        """The table's latest commits, newest first."""
        if not self.exists(table):
            return []
        delta = self._open(table)
        with lake_errors_in_one_line(self.lake.table(table)):
            return delta.history(limit)

    def _existing(self, table: LakeTable) -> DeltaTable:
        if not self.exists(table):
            raise LakeError(f"{table.name}: no such table yet; no micro-batch has run")
        return self._open(table)

    def _open(self, table: LakeTable) -> DeltaTable:
        return open_table(self.lake, table)

    def _actions(self, table: LakeTable, delta: DeltaTable) -> pa.Table:
        with lake_errors_in_one_line(self.lake.table(table)):
            return pa.table(delta.get_add_actions(flatten=True))


def _nanoseconds(frame: pd.DataFrame) -> pd.DataFrame:
    times = frame.select_dtypes(include=["datetimetz"]).columns
    return frame.astype(dict.fromkeys(times, "datetime64[ns, UTC]"))
