"""The table `usage_cost`: what each hour of each meter costs and emits.

Belongs here: merging hours. Not here: what an hour costs (`core.tariffs.hours`), which months are
computed (`services.usage_cost`).
"""

import pandas as pd

from usage_platform.adapters.lake.row_writer import any_differs, merge_rows, new, old
from usage_platform.adapters.lake.tables import USAGE_COST, Lake

COST_COLUMNS = [column.name for column in USAGE_COST.schema if column.name != "rev"]
"""What a row holds before it is written."""

_KEYS = ("meter", "start")
_COMPARED = [name for name in COST_COLUMNS if name not in (*_KEYS, "end", "event_date")]


def merge_costs(lake: Lake, costs: pd.DataFrame) -> None:
    """Write hours; equal rows do not change.

    Args:
        lake: The lake, with the table.
        costs: `COST_COLUMNS`; an hour once; at least one row.
    """
    updates = {**{name: new(name) for name in _COMPARED}, "rev": f"{old('rev')} + 1"}
    merge_rows(lake, USAGE_COST, costs.assign(rev=0), _KEYS, any_differs(_COMPARED), updates)
