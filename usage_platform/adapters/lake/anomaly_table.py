"""The table `anomalies`: what was published, or found by a backfill that scored `readings` again.

Belongs here: merging anomalies by their id, the newer state winning. Not here: what an anomaly is
(`core.anomalies.anomaly`), reading the topic (`adapters.spark.anomaly_batch`).
"""

import pandas as pd

from usage_platform.adapters.lake.row_writer import any_differs, merge_rows, new, old
from usage_platform.adapters.lake.tables import ANOMALIES, Lake
from usage_platform.core.anomalies.anomaly import ANOMALY_COLUMNS

_KEY = ("anomaly_id",)
_STATE = [name for name in ANOMALY_COLUMNS if name not in _KEY]
_DIFFERS = any_differs(_STATE)
_NEWER = f"({old('changed_at')} IS NULL OR {new('changed_at')} > {old('changed_at')})"
_SAME_TIME = f"{new('changed_at')} = {old('changed_at')}"


def merge_published(lake: Lake, anomalies: pd.DataFrame) -> None:
    """Update each anomaly to the newest state that was published.

    Reading the topic again, after a lost checkpoint, does not undo what a backfill has found since.

    Args:
        lake: The lake.
        anomalies: `ANOMALY_COLUMNS` and `changed_at`, when the state was published (UTC); of each
            id the newest last. A newer but equal state updates the time of the row.
    """
    _merge(lake, anomalies, f"{_NEWER} OR {_SAME_TIME} AND {_DIFFERS}")


def merge_rescored(lake: Lake, anomalies: pd.DataFrame, at: pd.Timestamp) -> None:
    """Write the anomalies that a backfill found; equal rows of the table do not change.

    Args:
        lake: The lake.
        anomalies: `ANOMALY_COLUMNS`, an id once; `event_time` is datetime64[ns, UTC].
        at: When they were found, UTC; states that were published later stay.
    """
    if not anomalies.empty:
        _merge(lake, anomalies.assign(changed_at=at), f"({_NEWER} OR {_SAME_TIME}) AND {_DIFFERS}")


def _merge(lake: Lake, anomalies: pd.DataFrame, when: str) -> None:
    first = anomalies.groupby("anomaly_id")["changed_at"].min()
    rows = anomalies[[*ANOMALY_COLUMNS, "changed_at"]].drop_duplicates("anomaly_id", keep="last")
    rows = rows.assign(
        event_date=rows["event_time"].dt.date, found_at=rows["anomaly_id"].map(first), rev=0
    )
    updates = {
        **{name: new(name) for name in _STATE},
        "found_at": f"least({old('found_at')}, {new('found_at')})",
        "changed_at": new("changed_at"),
        # Rows of former versions of the platform have no times and no number.
        "rev": f"coalesce({old('rev')}, 0) + CASE WHEN {_DIFFERS} THEN 1 ELSE 0 END",
    }
    merge_rows(lake, ANOMALIES, rows, _KEY, when, updates)
