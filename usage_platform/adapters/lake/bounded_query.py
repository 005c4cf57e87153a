"""Which statements a user's query may be, and a result that fits into memory.

Belongs here: checking the statement and collecting the rows of DuckDB. Not here: the limits
themselves and their errors (`query_limits`), opening the tables (`reader`).
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

import pyarrow as pa

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.query_limits import (
    MOST_BYTES,
    MOST_ROWS,
    not_a_read,
    too_many_rows,
    too_much_memory,
)

if TYPE_CHECKING:
    import duckdb

# Few enough that large texts are counted before there are many.
_ROWS_AT_ONCE = 10_000
_INTERRUPT_SECONDS = 0.1
_OUT_OF_MEMORY = "Out of Memory Error"
# MULTI is a PIVOT, which DuckDB splits into several statements.
_READS = ("SELECT", "EXPLAIN", "MULTI")


def is_out_of_memory(error: Exception) -> bool:
    """Whether DuckDB, Arrow or Python found no memory."""
    return isinstance(error, MemoryError) or _OUT_OF_MEMORY in str(error)


def check_reads(statements: "Sequence[duckdb.Statement]") -> None:
    """Refuse what is not one statement that reads.

    Raises:
        LakeError: In one line.
    """
    kinds = [statement.type.name for statement in statements]
    if len(kinds) != 1:
        raise LakeError(f"query: expected one statement, got {len(kinds)}; run each by itself")
    if kinds[0] not in _READS:
        raise not_a_read(kinds[0])


def bounded_rows(connection: "duckdb.DuckDBPyConnection", sql: str) -> pa.Table:
    """All rows of a statement, up to the limits.

    DuckDB itself looks for a Ctrl-C only between its steps, of which one may last for hours: the
    statement runs in a thread, and is interrupted from this one.

    Raises:
        LakeError: When there are more rows.
        KeyboardInterrupt: On a Ctrl-C, once the statement has ended.
    """

    def rows() -> pa.Table:
        return _bounded(connection.sql(sql).to_arrow_reader(_ROWS_AT_ONCE))

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(rows)
        try:
            return running.result()
        except KeyboardInterrupt:
            # More than once: an interrupt before the statement has begun is forgotten.
            while not running.done():
                connection.interrupt()
                wait([running], _INTERRUPT_SECONDS)
            raise


def _bounded(batches: pa.RecordBatchReader) -> pa.Table:
    kept, rows, size = [], 0, 0
    for batch in batches:
        kept.append(batch)
        rows += batch.num_rows
        size += batch.nbytes
        if size > MOST_BYTES:
            raise too_much_memory()
        if rows > MOST_ROWS:
            raise too_many_rows()
    return pa.Table.from_batches(kept, batches.schema)
