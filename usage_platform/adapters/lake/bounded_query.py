"""Which statements a user's query may be, and a result that fits into memory.

Belongs here: checking the statement and collecting the rows of DuckDB. Not here: the limits
themselves and their errors (`query_limits`), opening the tables (`reader`).
"""

from collections.abc import Sequence
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

INTERRUPTED = "interrupted"
"""In the message with which DuckDB reports a Ctrl-C that it noticed."""

ROWS_AT_ONCE = 10_000
"""Rows of a batch: few enough that large texts are counted before there are many."""

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


def bounded(batches: pa.RecordBatchReader) -> pa.Table:
    """All rows, up to the limits.

    Raises:
        LakeError: When there are more.
    """
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
