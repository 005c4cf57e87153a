"""The table `rejects`: messages that are neither a reading nor an anomaly, by their place.

Belongs here: how they are merged and deleted. Not here: what is rejected
(`core.readings.validation`, `anomaly_table`), which rejects are redriven (`services.redrive`).
"""

import pandas as pd

from usage_platform.adapters.lake.row_writer import (
    MergeRule,
    any_differs,
    delete_rows,
    merge_rows,
    new,
)
from usage_platform.adapters.lake.tables import REJECTS, Lake
from usage_platform.core.readings.validation import EVENT_PLACE

# An event that was rejected before may have another reason today.
_VERDICT = ("reason", "detail", "meter")
REJECT_MERGE = MergeRule(EVENT_PLACE, any_differs(_VERDICT), {name: new(name) for name in _VERDICT})


def merge_rejects(lake: Lake, rejects: pd.DataFrame) -> None:
    """Write rejects; one that was rejected before gets today's reason.

    Args:
        lake: The lake.
        rejects: `core.readings.validation.REJECT_COLUMNS`; at least one row.
    """
    merge_rows(lake, REJECTS, reject_rows(rejects), *REJECT_MERGE)


def reject_rows(rejects: pd.DataFrame) -> pd.DataFrame:
    """Rejects as rows of the table."""
    return rejects.assign(received_date=rejects["kafka_time"].dt.date)


def delete_rejects(lake: Lake, places: pd.DataFrame) -> None:
    """Delete rows of `rejects`.

    Args:
        lake: The lake.
        places: `EVENT_PLACE` of the rows; those that the table lacks change nothing.
    """
    if not places.empty:
        rows = places[EVENT_PLACE].assign(received_date=places["kafka_time"].dt.date)
        delete_rows(lake, REJECTS, rows, EVENT_PLACE)
