"""The table `usage_hourly`: merging hours into it.

Belongs here: how a row of an hour is written. Not here: what it holds (`core.readings.hourly`),
which hours are written (`usage_events`, `former_hours`, `adapters.spark.hourly_sql`).
"""

import pandas as pd

from usage_platform.adapters.lake.row_writer import MergeRule, any_differs, merge_rows, new, old
from usage_platform.adapters.lake.tables import USAGE_HOURLY, Lake
from usage_platform.core.readings.hourly import AUDIT_COLUMNS

_COMPARED = (
    *("avg_usage", "n", "expected_n", "min_usage", "max_usage", "energy_kwh", "is_final"),
    "unit",
    *AUDIT_COLUMNS,
)
HOUR_MERGE = MergeRule(
    ("meter", "start"),
    any_differs(_COMPARED),
    {**{name: new(name) for name in _COMPARED}, "rev": f"{old('rev')} + 1"},
)


def merge_hours(lake: Lake, hours: pd.DataFrame) -> None:
    """Merge rows into `usage_hourly`; equal rows do not change.

    Args:
        lake: The lake.
        hours: `core.readings.hourly.HOURLY_COLUMNS` and `AUDIT_COLUMNS`; an hour once.
    """
    merge_rows(lake, USAGE_HOURLY, hour_rows(hours), *HOUR_MERGE)


def hour_rows(hours: pd.DataFrame) -> pd.DataFrame:
    """Hours, as `merge_hours` takes them, as rows of `usage_hourly`."""
    return hours.assign(event_date=hours["start"].dt.date, rev=0)
