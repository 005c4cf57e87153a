"""Rows of `readings` that commits have added or rewritten, and all rows of a time.

Belongs here: reading them. Not here: which commits (`services.group_position`), what is made of
them.
"""

from collections.abc import Iterable, Mapping
from datetime import date

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from usage_platform.adapters.lake.day_filters import between, dataset, on_days
from usage_platform.adapters.lake.delta_tables import open_table
from usage_platform.adapters.lake.errors import LakeError, lake_errors_in_one_line
from usage_platform.adapters.lake.reader import DayFiles, LakeReader
from usage_platform.adapters.lake.row_filters import of_meters
from usage_platform.adapters.lake.tables import READINGS, Lake

NewFiles = Mapping[date, frozenset[str]]
"""The paths of files by day."""


def files_of(lake: Lake, version: int) -> DayFiles | None:
    """The files of a version of `readings`; None where the log no longer has it."""
    try:
        delta: DeltaTable = open_table(lake, READINGS, version)
        actions = pa.table(delta.get_add_actions(flatten=True))
    except (LakeError, DeltaError):
        return None
    return DayFiles.of(READINGS, version, actions)


def new_files(before: DayFiles, after: DayFiles) -> NewFiles:
    """The files that a later version has and an earlier one has not, by day, ascending."""
    found = {
        day: paths - before.files.get(day, frozenset())
        for day, paths in sorted(after.files.items())
    }
    return {day: paths for day, paths in found.items() if paths}


def readings_in(lake: Lake, day: date, paths: Iterable[str], meters: Iterable[str]) -> pd.DataFrame:
    """The readings of some meters in some files of a day.

    A file that the table no longer has holds rows that others have; they count as new with those.

    Returns:
        `meter`, `event_time` (datetime64[ns, UTC]).

    Raises:
        LakeError: When the lake cannot be read.
    """
    names = {path.rpartition("/")[2] for path in paths}
    chosen = of_meters(meters)
    columns = ["meter", "event_time"]
    data = dataset(open_table(lake, READINGS), on_days(READINGS, [day]))
    with lake_errors_in_one_line(lake.table(READINGS)):
        parts = [
            fragment.to_table(schema=data.schema, columns=columns, filter=chosen)
            for fragment in data.get_fragments(chosen)
            if fragment.path.rpartition("/")[2] in names
        ]
    if not parts:
        return _as_instants(pd.DataFrame({name: [] for name in columns}))
    return _as_instants(pa.concat_tables(parts).to_pandas())


def readings_between(
    reader: LakeReader, meters: Iterable[str], first: pd.Timestamp, end: pd.Timestamp
) -> pd.DataFrame:
    """All readings of some meters from one instant to before another.

    Returns:
        `meter`, `event_time` (datetime64[ns, UTC]), `value` (kW).

    Raises:
        LakeError: When the lake cannot be read.
    """
    chosen = of_meters(meters) & (pc.field("event_time") >= pa.scalar(first.as_unit("us")))
    chosen &= pc.field("event_time") < pa.scalar(end.as_unit("us"))
    days = between(READINGS, first.date(), end.date())
    columns = ["meter", "event_time", "value"]
    batches = [*reader.scan(READINGS, columns, days, chosen)]
    if not batches:
        return _as_instants(pd.DataFrame({name: [] for name in columns}))
    return _as_instants(pa.Table.from_batches(batches).to_pandas())


def _as_instants(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.astype({"event_time": "datetime64[ns, UTC]", "meter": object})
