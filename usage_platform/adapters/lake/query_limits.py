"""What a query of a person may do, wherever it is run: read, and give as many rows as fit.

Belongs here: the limits, and the one line that each refusal is. Not here: running queries
(`lake_reader` on the tables' files, `athena` on AWS).
"""

from usage_platform.adapters.lake.errors import LakeError

MOST_ROWS = 5_000_000
"""A query's result is held in memory."""


def not_a_read(kind: str) -> LakeError:
    """The refusal of a statement that does something else than read.

    Args:
        kind: The statement's first word, such as `CREATE`.
    """
    return LakeError(
        f"query: {kind} is not for here; expected a SELECT: only the platform writes the tables"
    )


def too_many_rows() -> LakeError:
    """The refusal of a result that does not fit."""
    return LakeError(f"query: more than {MOST_ROWS:,} rows; add a WHERE or a LIMIT, or aggregate")
