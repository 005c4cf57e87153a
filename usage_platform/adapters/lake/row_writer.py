"""Writes rows to the lake's tables without a JVM.

Belongs here: appending rows, merging and deleting them by key, and putting the small files of a day
together. Not here: which rows (`usage_events` and the files named after tables), whose turn it is
to write (`write_turn`).

Spark could do the same, but plans a statement for longer than a small batch takes (ADR 23). The
MERGE of Delta's client in Python is not used either: its files declare texts as `string_view`,
which pyarrow then does not compare with texts. DuckDB joins the rows with those of their days, and
the days on which a row changes are replaced. A commit fails where another writer has changed the
days since they were read.

Conditions and values are SQL of DuckDB, in which `t` is the row in the table and `s` the new one.
Those of a `MergeRule` are also SQL of Spark, but for the quotes of names.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake

from usage_platform.adapters.lake.commit_dates import date_list, dates_note
from usage_platform.adapters.lake.database import database
from usage_platform.adapters.lake.day_filters import between, dataset
from usage_platform.adapters.lake.day_stretches import day_stretches
from usage_platform.adapters.lake.delta_tables import open_table
from usage_platform.adapters.lake.errors import LakeError, lake_errors_in_one_line, one_line
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import delta_schema
from usage_platform.adapters.lake.tables import Lake, LakeTable

if TYPE_CHECKING:
    import duckdb

MOST_FILES_OF_A_DAY = 50
"""With so many files, those of a day are put together into one, which readers open sooner."""

# Days with more rows than these together are joined and replaced one after the other.
_ROWS_AT_ONCE = 2_000_000


class MergeRule(NamedTuple):
    """How rows are merged into a table, the last arguments of `merge_rows`.

    Attributes:
        keys: The columns of the key.
        when: The condition of an update.
        updates: The new value of each column that an update changes.
    """

    keys: Sequence[str]
    when: str
    updates: Mapping[str, str]


def append_rows(lake: Lake, table: LakeTable, rows: pd.DataFrame) -> None:
    """Add rows, whatever is in the table, in one commit.

    Args:
        lake: The lake.
        table: The table; it exists.
        rows: Its columns, at least one row. NaN and NaT become NULL, as do columns that are not
            there.

    Raises:
        LakeError: In one line, when the table cannot be written.
    """
    with lake_errors_in_one_line(lake.table(table)):
        _append(open_table(lake, table), table, arrow_rows(table, rows))


def merge_rows(
    lake: Lake,
    table: LakeTable,
    rows: pd.DataFrame,
    keys: Sequence[str],
    when: str = "false",
    updates: Mapping[str, str] | None = None,
) -> None:
    """Add the rows whose key is not in the table; update those whose key is, if a condition holds.

    The days on which a row changes are replaced, in one commit or, if they have very many rows, in
    several; rows of other days are appended in one; without a change there is none. A merge that
    was cut short is completed by doing it again.

    Args:
        lake: The lake.
        table: The table; it exists.
        rows: As for `append_rows`; a key once.
        keys: The columns of the key. The partition follows from them.
        when: The condition of an update.
        updates: The new value of each column that an update changes.

    Raises:
        LakeError: As for `append_rows`; also when another writer changed a replaced day meanwhile.
    """
    same, day = _same(table, keys), _quoted(table.partition)
    names = ", ".join(_quoted(column.name) for column in table.schema)
    updated = ", ".join(
        f"CASE WHEN s.is_update THEN {value} ELSE {old(name)} END AS {_quoted(name)}"
        for name, value in (updates or {}).items()
    )
    with _errors_in_one_line(lake, table):
        for delta, sql in _stretches(lake, table, rows):
            sql.execute(
                f"CREATE TEMP TABLE compared AS SELECT s.*, t.{day} IS NULL AS is_new, "
                f"t.{day} IS NOT NULL AND coalesce({when}, false) AS is_update "
                f"FROM s LEFT JOIN t ON {same}"
            )
            of_updates = f"(SELECT {day} FROM compared WHERE is_update)"
            of_new = f"SELECT {names} FROM compared WHERE is_new AND {day}"
            added = _rows(sql, table, f"{of_new} NOT IN {of_updates}")
            changed = _dates(sql, f"SELECT DISTINCT {day} FROM {of_updates}")
            if changed:
                kept = (
                    f"SELECT {names} FROM (SELECT t.* REPLACE ({updated}) "
                    f"FROM t LEFT JOIN compared s ON {same}) WHERE {day} IN {of_updates}"
                )
                rest = f"{kept} UNION ALL {of_new} IN {of_updates}"
                # Before the other commit, which would take what others committed as known.
                _replace(delta, table, changed, _rows(sql, table, rest))
            if added.num_rows:
                _append(delta, table, added)


def delete_rows(lake: Lake, table: LakeTable, rows: pd.DataFrame, keys: Sequence[str]) -> None:
    """Delete the rows with these keys; those that are not in the table change nothing.

    Args:
        lake: The lake.
        table: The table; it exists.
        rows: The columns of the key and of the partition.
        keys: The columns of the key.

    Raises:
        LakeError: As for `merge_rows`.
    """
    same, day = _same(table, keys), _quoted(table.partition)
    with _errors_in_one_line(lake, table):
        for delta, sql in _stretches(lake, table, rows):
            changed = _dates(sql, f"SELECT DISTINCT t.{day} FROM t SEMI JOIN s ON {same}")
            if changed:
                left = f"FROM t ANTI JOIN s ON {same} WHERE t.{day} IN ({date_list(changed)})"
                _replace(delta, table, changed, _rows(sql, table, f"SELECT t.* {left}"))


def new(name: str) -> str:
    """The value of a column in the new row."""
    return f"s.{_quoted(name)}"


def old(name: str) -> str:
    """The value of a column in the table."""
    return f"t.{_quoted(name)}"


def any_differs(names: Iterable[str]) -> str:
    """The condition that a column's new value is another one; NULL equals NULL."""
    return f"({' OR '.join(f'{old(name)} IS DISTINCT FROM {new(name)}' for name in names)})"


@contextmanager
def _errors_in_one_line(lake: Lake, table: LakeTable) -> Generator[None]:
    import duckdb

    with lake_errors_in_one_line(lake.table(table)):
        try:
            yield
        except duckdb.Error as error:
            reason = one_line(str(error))
            raise LakeError(f"{table.name}: rows cannot be merged ({reason})") from error


def _stretches(
    lake: Lake, table: LakeTable, rows: pd.DataFrame
) -> "Iterator[tuple[DeltaTable, duckdb.DuckDBPyConnection]]":
    """The table, and a connection that knows its rows as `t` and the new ones as `s`."""
    days = rows[table.partition]
    stretches = day_stretches(LakeReader(lake), table, sorted(set(days)), _ROWS_AT_ONCE)
    for first, last in stretches:
        delta = open_table(lake, table)
        with database() as sql:
            sql.register("t", dataset(delta, between(table, first, last)))
            sql.register("s", arrow_rows(table, rows[(days >= first) & (days <= last)]))
            yield delta, sql


def _same(table: LakeTable, keys: Sequence[str]) -> str:
    columns = dict.fromkeys([table.partition, *keys])
    return " AND ".join(f"{old(name)} = {new(name)}" for name in columns)


def _quoted(name: str) -> str:
    """A column's name; some are words of SQL."""
    return f'"{name}"'


def _dates(sql: "duckdb.DuckDBPyConnection", query: str) -> list[date]:
    return [day for (day,) in sql.execute(query).fetchall()]


def _rows(sql: "duckdb.DuckDBPyConnection", table: LakeTable, query: str) -> pa.Table:
    return sql.sql(query).to_arrow_table().cast(_schema(table))


def _schema(table: LakeTable) -> pa.Schema:
    """The columns without their comments: a table of a former version has other ones."""
    fields = pa.schema(delta_schema(table).to_arrow())
    return pa.schema([field.remove_metadata() for field in fields])


def arrow_rows(table: LakeTable, rows: pd.DataFrame) -> pa.Table:
    """Rows with the columns and types of a table; as for `append_rows`."""
    schema = _schema(table)
    # None and not NaN, which is no date.
    missing = dict.fromkeys(name for name in schema.names if name not in rows)
    whole = rows.assign(**missing)[schema.names]
    # Not safe: instants of pandas are in nanoseconds, those of Delta in microseconds.
    return pa.Table.from_pandas(whole, schema=schema, preserve_index=False, safe=False)


def _append(delta: DeltaTable, table: LakeTable, rows: pa.Table) -> None:
    days = rows[table.partition].unique().to_pylist()
    write_deltalake(delta, rows, mode="append", commit_properties=_note(days))
    many = crowded_days(delta, table, days)
    if many:
        delta.optimize.compact([(table.partition, "in", [str(day) for day in many])])


def crowded_days(delta: DeltaTable, table: LakeTable, days: Sequence[date]) -> list[date]:
    """Those of some days that have so many files that they are to be put together.

    Args:
        delta: The table, as it is now.
        table: What is known of it.
        days: The days.
    """
    files = delta.file_uris([(table.partition, "in", [str(day) for day in days])])
    counts = pd.Series([PurePosixPath(file).parent.name for file in files]).value_counts()
    names = {f"{table.partition}={day}": day for day in days}
    return [names[folder] for folder in counts.index[counts >= MOST_FILES_OF_A_DAY]]


def _replace(delta: DeltaTable, table: LakeTable, days: Sequence[date], rows: pa.Table) -> None:
    listed = ", ".join(f"'{day}'" for day in days)
    write_deltalake(
        delta,
        rows,
        mode="overwrite",
        predicate=f"{table.partition} IN ({listed})",
        commit_properties=_note(days),
    )


def _note(days: Iterable[date]) -> CommitProperties:
    return CommitProperties(custom_metadata=dates_note(days))
