"""Table maintenance: compacts the files of past days, removes the files of past versions.

Belongs here: OPTIMIZE, VACUUM and the properties of the log, and their result. Not here: when they
run (`defs.upkeep`), or the rows.

A micro-batch leaves a file for each day that it changes. The files of days that no longer change
are compacted into one each (OPTIMIZE), once; files that were replaced long enough ago are removed
(VACUUM). Delta itself trims the log of commits, by the properties set here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from usage_platform.adapters.lake.commit_dates import date_list
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import ALL_TABLES, LakeTable, log_properties

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SETTLED_AFTER = timedelta(days=2)
# Planning one statement with all days of ten years would take longer than running it.
_DAYS_A_STATEMENT = 400
_VACUUM_COMMITS = 2
_VACUUM_CONF = {
    # Records the number of removed files in the log, which object stores do not do by default.
    "spark.databricks.delta.vacuum.logging.enabled": "true",
    # The number of tasks that list folders, however few there are. The default is 10,000, which
    # takes five times as long.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "8",
}


@dataclass(frozen=True)
class Upkept:
    """The result of maintaining a table.

    Attributes:
        table: Its name.
        days_joined: Days whose files were compacted into one.
        files_before: Data files of the table before.
        bytes_before: Their size.
        files_after: Data files of the table afterwards.
        bytes_after: Their size.
        files_removed: Files of past versions that were removed.
    """

    table: str
    days_joined: int
    files_before: int
    bytes_before: int
    files_after: int
    bytes_after: int
    files_removed: int


def keep_tables(
    spark: "SparkSession",
    reader: LakeReader,
    vacuum_hours: int,
    tables: Sequence[LakeTable] = ALL_TABLES,
) -> list[Upkept]:
    """Compact files, remove old ones and trim logs; rows do not change.

    Args:
        spark: The session that may write to the lake.
        reader: The lake's tables.
        vacuum_hours: How long past versions of the tables are kept.
        tables: Which tables; those that do not exist yet are skipped.
    """
    existing = [table for table in tables if reader.exists(table)]
    files = {table: reader.files(table) for table in existing}
    return [
        _keep(spark, reader, table, files[table], _settled(table, files), vacuum_hours)
        for table in existing
    ]


def _settled(table: LakeTable, files: dict[LakeTable, pd.DataFrame]) -> date | None:
    """The last day of a table that no longer changes, by the newest day of those like it."""
    days = [
        day
        for other, rows in files.items()
        if other.partition == table.partition
        for day in rows["day"]
    ]
    return max(days) - SETTLED_AFTER if days else None


def _keep(
    spark: "SparkSession",
    reader: LakeReader,
    table: LakeTable,
    before: pd.DataFrame,
    settled: date | None,
    vacuum_hours: int,
) -> Upkept:
    name = reader.lake.sql(table)
    wanted = log_properties(vacuum_hours)
    if not wanted.items() <= reader.properties(table).items():
        properties = ", ".join(f"'{key}' = '{value}'" for key, value in wanted.items())
        spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ({properties})")
    days = _days_to_join(before, settled)
    for first in range(0, len(days), _DAYS_A_STATEMENT):
        chosen = date_list(days[first : first + _DAYS_A_STATEMENT])
        spark.sql(f"OPTIMIZE {name} WHERE {table.partition} IN ({chosen})").collect()
    for key, value in _VACUUM_CONF.items():
        spark.conf.set(key, value)
    spark.sql(f"VACUUM {name}").collect()
    after = reader.files(table)
    return Upkept(
        table=table.name,
        days_joined=len(days),
        files_before=len(before),
        bytes_before=int(before["bytes"].sum()),
        files_after=len(after),
        bytes_after=int(after["bytes"].sum()),
        files_removed=_removed(reader, table),
    )


def _days_to_join(files: pd.DataFrame, settled: date | None) -> list[date]:
    """The settled days that have more than one file; compact days are not written again."""
    if settled is None:
        return []
    counts = files.groupby("day").size()
    return [day for day in counts[counts > 1].index if day <= settled]


def _removed(reader: LakeReader, table: LakeTable) -> int:
    commits = reader.history(table, _VACUUM_COMMITS)
    ended = (c["operationMetrics"] for c in commits if c.get("operation") == "VACUUM END")
    return sum(int(metrics["numDeletedFiles"]) for metrics in ended)
