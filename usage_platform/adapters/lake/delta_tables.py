"""Opens the lake's Delta tables without a JVM.

Belongs here: how long a server is waited for. Not here: reading rows (`reader`), writing them
(`row_writer`).
"""

from deltalake import DeltaTable

from usage_platform.adapters.lake.errors import lake_errors_in_one_line
from usage_platform.adapters.lake.tables import Lake, LakeTable

# On S3 Delta's client would by default retry a silent server for three minutes, for each table; a
# request is for one file of a day, or a part of one.
_PATIENCE = {"connect_timeout": "5s", "timeout": "15s", "max_retries": "3", "retry_timeout": "15s"}


def open_table(lake: Lake, table: LakeTable, version: int | None = None) -> DeltaTable:
    """The table in a version, the latest one by default.

    Raises:
        LakeError: In one line, when it does not exist or cannot be opened.
    """
    with lake_errors_in_one_line(lake.table(table)):
        location, options = lake.table(table), storage_options(lake)
        return DeltaTable(location, version=version, storage_options=options)


def storage_options(lake: Lake) -> dict[str, str] | None:
    """The options of Delta's client for the lake's storage."""
    return dict(_PATIENCE) if "://" in lake.root else None
