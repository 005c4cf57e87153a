"""Reading the lake's tables without a JVM.

Belongs here: rows, versions and SQL over the Delta tables, for checks, training, status and people.
Not here: writes; the Spark service owns them all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from usage_platform.adapters.lake_tables import TABLES, Lake, LakeTable


class LakeError(RuntimeError):
    """The lake or a query is not as it should be; one line for the user."""


@dataclass(frozen=True)
class TableState:
    """A table's latest commit.

    Attributes:
        version: Delta version.
        rows: Rows in it.
        files: Data files in it.
        reader_version: Delta protocol that a reader must know.
    """

    version: int
    rows: int
    files: int
    reader_version: int


class LakeReader:
    """The tables of one lake, as they are when asked."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake

    def exists(self, table: LakeTable) -> bool:
        """Whether the table was made."""
        return DeltaTable.is_deltatable(self.lake.table(table))

    def state(self, table: LakeTable) -> TableState:
        """What the latest commit holds; zeros where there is no table yet."""
        if not self.exists(table):
            return TableState(version=-1, rows=0, files=0, reader_version=0)
        delta = self._open(table)
        actions = pa.table(delta.get_add_actions(flatten=True))
        rows = sum(count or 0 for count in actions["num_records"].to_pylist())
        return TableState(
            version=delta.version(),
            rows=rows,
            files=actions.num_rows,
            reader_version=delta.protocol().min_reader_version,
        )

    def rows(
        self,
        table: LakeTable,
        columns: Sequence[str] | None = None,
        first: date | None = None,
        last: date | None = None,
    ) -> pd.DataFrame:
        """Rows of a table.

        Args:
            table: The table.
            columns: Which columns; all by default.
            first: The first UTC date to read, by the table's partition column.
            last: The last UTC date to read, inclusive.

        Returns:
            A frame; timestamps are datetime64[ns, UTC].

        Raises:
            LakeError: Where the table was not made yet, or cannot be read.
        """
        if not self.exists(table):
            raise LakeError(f"{table.name}: no such table yet; no micro-batch has run")
        chosen: pc.Expression | None = None
        day = pc.field(table.partition)
        for condition in (
            None if first is None else day >= pa.scalar(first),
            None if last is None else day <= pa.scalar(last),
        ):
            if condition is not None:
                chosen = condition if chosen is None else chosen & condition
        data = self._open(table).to_pyarrow_dataset()
        frame = data.to_table(columns=list(columns) if columns else None, filter=chosen).to_pandas()
        return _nanoseconds(frame)

    def span(self, table: LakeTable, column: str) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """The least and the largest instant of a column, which moves with the table's partitions.

        Only the first and the last day are read.

        Returns:
            UTC; None where there is no row, or no table yet.
        """
        if not self.exists(table):
            return None
        actions = pa.table(self._open(table).get_add_actions(flatten=True))
        days = [day for day in actions[f"partition.{table.partition}"].to_pylist() if day]
        if not days:
            return None
        ends = (min(days), max(days))
        oldest, newest = (self.rows(table, [column], day, day)[column] for day in ends)
        return oldest.min(), newest.max()

    def query(self, sql: str) -> pa.Table:
        """Run SQL over the tables by their names, as Athena does on AWS.

        Raises:
            LakeError: In one line, when the SQL is wrong.
        """
        import duckdb

        with duckdb.connect(
            config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        ) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for table in TABLES:
                if self.exists(table):
                    connection.register(table.name, self._open(table).to_pyarrow_dataset())
            # What the user types reaches the lake's tables and no other file.
            connection.execute("SET enable_external_access = false")
            try:
                relation = connection.sql(sql)
                return pa.table({"rows": []}) if relation is None else relation.to_arrow_table()
            except duckdb.Error as error:
                raise LakeError(" ".join(str(error).split("\n")[0].split())) from None

    def history(self, table: LakeTable, limit: int) -> list[dict[str, Any]]:
        """The table's latest commits, newest first."""
        return self._open(table).history(limit) if self.exists(table) else []

    def _open(self, table: LakeTable) -> DeltaTable:
        try:
            return DeltaTable(self.lake.table(table))
        except (DeltaError, TableNotFoundError, OSError) as error:
            raise LakeError(f"{table.name}: cannot be read: {error}") from error


def _nanoseconds(frame: pd.DataFrame) -> pd.DataFrame:
    times = frame.select_dtypes(include=["datetimetz"]).columns
    return frame.astype(dict.fromkeys(times, "datetime64[ns, UTC]"))
