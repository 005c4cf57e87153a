"""The table `anomalies`: filled from the topic, or from a backfill that scored `readings` again.

Belongs here: the MERGE of anomalies by their id, the newer state winning. Not here: what an anomaly
is (`core.anomalies.anomaly`).
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from usage_platform.adapters.lake.tables import ANOMALIES, Lake
from usage_platform.adapters.spark.batch_messages import collected_messages
from usage_platform.adapters.spark.commit_dates import date_list, note_dates
from usage_platform.adapters.spark.rejects_table import merge_rejects
from usage_platform.core.anomalies.anomaly import ANOMALY_COLUMNS, NUMBERS
from usage_platform.core.anomalies.message_parsing import (
    MOST_BYTES,
    anomaly_rows,
    parse_anomaly,
    stray_rejects,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def write_anomaly_batch(lake: Lake, frame: "DataFrame", batch_id: int) -> None:
    """Write one batch of the topic `anomaly`; Spark calls it, in a worker beside the service."""
    del batch_id
    messages = collected_messages(frame, MOST_BYTES, "coalesce(octet_length(value), 0) AS size")
    # The messages of a meter share a partition, until partitions are added to the topic.
    messages = messages.sort_values(["kafka_time", "offset", "partition"], ignore_index=True)
    parsed = [parse_anomaly(value) for value in messages["value"]]
    is_readable = np.array([message is not None for message in parsed], dtype=np.bool_)
    if not is_readable.all():
        strays = stray_rejects(messages.loc[~is_readable], "not_an_anomaly")
        merge_rejects(frame.sparkSession, lake, strays)
    if is_readable.any():
        anomalies = anomaly_rows([message for message in parsed if message is not None])
        at = messages.loc[is_readable, "kafka_time"].reset_index(drop=True)
        _merge(frame.sparkSession, lake, anomalies.assign(changed_at=at), update_equal=True)


def merge_rescored(
    spark: "SparkSession", lake: Lake, anomalies: pd.DataFrame, at: pd.Timestamp
) -> None:
    """Write the anomalies that a backfill found; equal rows of the table do not change.

    Args:
        spark: The session that may write to the lake.
        lake: The lake.
        anomalies: `ANOMALY_COLUMNS`, an id once; `event_time` is datetime64[ns, UTC].
        at: When they were found, UTC; states that were published later stay.
    """
    if not anomalies.empty:
        _merge(spark, lake, anomalies.assign(changed_at=at), update_equal=False)


def _merge(
    spark: "SparkSession", lake: Lake, anomalies: pd.DataFrame, *, update_equal: bool
) -> None:
    """Update each anomaly to its newest state.

    Args:
        spark: The session.
        lake: The lake.
        anomalies: `ANOMALY_COLUMNS` and `changed_at`, of each id the newest last.
        update_equal: Whether a newer but equal state updates the time of the row.
    """
    first = anomalies.groupby("anomaly_id")["changed_at"].min()
    rows = anomalies[[*ANOMALY_COLUMNS, "changed_at"]].drop_duplicates("anomaly_id", keep="last")
    rows = rows.assign(
        event_date=rows["event_time"].dt.date, found_at=rows["anomaly_id"].map(first), rev=0
    )
    spark.createDataFrame(rows).createOrReplaceTempView("batch_anomalies")
    note_dates(spark, set(rows["event_date"]))
    names = list(rows.columns)
    # A number that is NaN is unknown, which is NULL in the table.
    or_null = "nanvl({0}, CAST(NULL AS DOUBLE)) AS {0}"
    source = ", ".join(or_null.format(name) if name in NUMBERS else name for name in names)
    state = [name for name in ANOMALY_COLUMNS if name != "anomaly_id"]
    differs = " OR ".join(f"NOT t.{name} <=> s.{name}" for name in state)
    always = str(update_equal).lower()
    # Reading the topic again, after a lost checkpoint, does not undo what a backfill has found
    # since. Rows of former versions of the platform have no time.
    spark.sql(f"""
        MERGE INTO {lake.sql(ANOMALIES)} t USING (SELECT {source} FROM batch_anomalies) s
        ON t.anomaly_id = s.anomaly_id AND t.event_date IN ({date_list(rows["event_date"])})
        WHEN MATCHED AND (
            (t.changed_at IS NULL OR s.changed_at > t.changed_at) AND ({differs} OR {always})
            OR s.changed_at = t.changed_at AND ({differs})
        )
        THEN UPDATE SET {", ".join(f"{name} = s.{name}" for name in state)},
            found_at = least(t.found_at, s.found_at), changed_at = s.changed_at,
            rev = coalesce(t.rev, 0) + CASE WHEN {differs} THEN 1 ELSE 0 END
        WHEN NOT MATCHED THEN INSERT ({", ".join(names)})
        VALUES ({", ".join(f"s.{name}" for name in names)})
    """).collect()
