"""The limits of a user's query, wherever it runs: it reads, and its result fits into memory.

Belongs here: the limits, and the error text of each. Not here: running queries (`reader` on the
tables' files, `adapters.aws.athena` on AWS).
"""

from usage_platform.adapters.lake.errors import LakeError

MOST_ROWS = 5_000_000
"""The most rows of a result, which is held in memory."""

MOST_BYTES = 2**30
"""The most bytes of a result, as Arrow counts them."""

MEMORY_LIMIT = "2GB"
"""What DuckDB may use for sorting, joining and grouping."""


def not_a_read(kind: str) -> LakeError:
    """The error for a statement that does not only read.

    Args:
        kind: The statement's first word, such as `CREATE`.
    """
    return LakeError(
        f"query: {kind} is not allowed; expected a SELECT: only the platform writes the tables"
    )


def too_many_rows() -> LakeError:
    """The error for a result that is too large."""
    return LakeError(f"query: more than {MOST_ROWS:,} rows; add a WHERE or a LIMIT, or aggregate")


def too_much_memory() -> LakeError:
    """The error for a query that needs, or returns, more memory than there may be."""
    return LakeError(
        f"query: more memory than it may have; a result has at most {MOST_BYTES >> 30} GiB: add a "
        "WHERE or a LIMIT, or aggregate"
    )
