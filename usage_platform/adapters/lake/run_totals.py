"""The table `run_totals`: totals of runs that were removed from Dagster.

Belongs here: adding totals by day and job. Not here: which runs are summed (`defs`).
"""

import pandas as pd

from usage_platform.adapters.lake.row_writer import merge_rows
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import RUN_TOTALS, Lake


def add_run_totals(lake: Lake, totals: pd.DataFrame) -> None:
    """Add the totals of days and jobs that the table does not have yet.

    Existing totals stay: they were summed when no run was missing.

    Args:
        lake: The lake.
        totals: `day` (dates), `job`, `runs`, `failed`, `seconds`, `events`.
    """
    create_tables(lake, (RUN_TOTALS,))
    if not totals.empty:
        merge_rows(lake, RUN_TOTALS, totals, ("day", "job"))
