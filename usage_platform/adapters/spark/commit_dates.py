"""The UTC dates that a write to the lake changes: as SQL literals, and in the Delta commit.

Belongs here: writing them into a commit and reading them back, which tells the days that a stream
has changed without reading a row.
"""

import json
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import LakeTable

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"


def date_list(dates: Iterable[date]) -> str:
    """Dates as SQL literals: Delta prunes its partitions by literals only."""
    return ", ".join(f"DATE'{day.isoformat()}'" for day in sorted(set(dates)))


def note_dates(spark: "SparkSession", dates: Iterable[date]) -> None:
    """Put these UTC dates into the user metadata of the session's next commits."""
    spark.conf.set(_USER_METADATA, json.dumps({"dates": sorted(str(day) for day in set(dates))}))


def dates_since(reader: LakeReader, table: LakeTable, version: int) -> list[date]:
    """The UTC dates that the commits after `version` name, ascending."""
    commits = reader.history(table, reader.state(table).version - version)
    notes = [json.loads(commit.get("userMetadata") or "{}") for commit in commits]
    days = {date.fromisoformat(day) for note in notes for day in note.get("dates", [])}
    return sorted(days)
