"""The UTC dates that a write to the lake changes: as SQL literals, and in the Delta commit.

Belongs here: the note of them in a commit and reading it back, which tells the days that a stream
has changed without reading a row.
"""

import json
from collections.abc import Iterable
from datetime import date

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import LakeTable

_USER_METADATA = "userMetadata"


def date_list(dates: Iterable[date]) -> str:
    """Dates as SQL literals: Delta prunes its partitions by literals only."""
    return ", ".join(f"DATE'{day.isoformat()}'" for day in sorted(set(dates)))


def dates_note(dates: Iterable[date]) -> dict[str, str]:
    """The metadata of a commit that changes rows of these UTC dates."""
    return {_USER_METADATA: json.dumps({"dates": sorted(str(day) for day in set(dates))})}


def dates_since(reader: LakeReader, table: LakeTable, version: int) -> list[date]:
    """The UTC dates that the commits after `version` name, ascending."""
    commits = reader.history(table, reader.state(table).version - version)
    notes = [json.loads(commit.get(_USER_METADATA) or "{}") for commit in commits]
    days = {date.fromisoformat(day) for note in notes for day in note.get("dates", [])}
    return sorted(days)
