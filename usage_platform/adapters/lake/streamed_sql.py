"""The platform's own SQL over rows that are read while it runs, in DuckDB.

Belongs here: the database and the stream of rows. Not here: statements (`fleet_sums`), a user's SQL
over the tables (`reader`).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

from usage_platform.adapters.lake.database import database
from usage_platform.adapters.lake.errors import LakeError, one_line
from usage_platform.adapters.lake.tables import LakeTable

if TYPE_CHECKING:
    import duckdb


@contextmanager
def registered(
    connection: "duckdb.DuckDBPyConnection",
    batches: Iterator[pa.RecordBatch],
    columns: Mapping[str, pa.DataType],
) -> Iterator[None]:
    """Rows as the table `stream`, which can be read once; few of them are in memory at once.

    Args:
        connection: The database.
        batches: The rows.
        columns: Their columns and types.

    Raises:
        LakeError: What reading them has raised, which DuckDB would wrap into its own error.
    """
    schema = pa.schema(list(columns.items()))
    failed: list[LakeError] = []

    def read() -> Iterator[pa.RecordBatch]:
        try:
            yield from (batch.cast(schema) for batch in batches)
        except LakeError as error:
            failed.append(error)
            raise

    connection.register("stream", pa.RecordBatchReader.from_batches(schema, read()))
    try:
        yield
    except Exception:
        if failed:
            raise failed[0] from None
        raise


@contextmanager
def connected(table: LakeTable) -> "Iterator[duckdb.DuckDBPyConnection]":
    """A database in memory.

    Args:
        table: The table that is read, for errors.

    Raises:
        LakeError: In one line, in place of the database's errors.
    """
    import duckdb

    try:
        with database() as connection:
            yield connection
    except duckdb.Error as error:
        raise LakeError(f"{table.name}: cannot be summed: {one_line(str(error))}") from None
