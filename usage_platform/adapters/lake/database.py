"""A database in memory (DuckDB) for SQL over rows of the lake.

Belongs here: its settings. Not here: statements, and what comes of their errors.
"""

from typing import TYPE_CHECKING

from usage_platform.adapters.lake.query_limits import MEMORY_LIMIT

if TYPE_CHECKING:
    import duckdb


def database() -> "duckdb.DuckDBPyConnection":
    """A database that loads nothing by itself and knows times in UTC; a context that closes it."""
    # Loaded late: few processes need it.
    import duckdb

    config = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "memory_limit": MEMORY_LIMIT,
    }
    connection = duckdb.connect(config=config)
    connection.execute("SET TimeZone = 'UTC'")
    return connection
