"""The table `anomalies`: filled from the topic, or from a backfill that scored `readings` again.

Belongs here: the merge of anomalies by their id. Not here: what an anomaly is (`core.anomalies`).
"""

from typing import TYPE_CHECKING

import pandas as pd

from usage_platform.adapters.commit_dates import date_list, note_dates
from usage_platform.adapters.lake_tables import ANOMALIES, Lake
from usage_platform.core.anomalies import ANOMALY_COLUMNS, anomalies_from_messages

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def apply_anomaly_batch(lake: Lake, frame: "DataFrame", batch_id: int) -> None:
    """Write one batch of the topic `anomaly`; Spark calls it, in a worker beside the service."""
    del batch_id
    values = frame.select("value").toPandas()["value"].tolist()
    if values:
        merge_anomalies(frame.sparkSession, lake, anomalies_from_messages(values))


def merge_anomalies(spark: "SparkSession", lake: Lake, anomalies: pd.DataFrame) -> None:
    """Add the anomalies that the table does not hold yet.

    Args:
        spark: The session of the service that owns the lake's writes.
        lake: Where the table is.
        anomalies: `ANOMALY_COLUMNS`; `event_time` is datetime64[ns, UTC].
    """
    if anomalies.empty:
        return
    rows = anomalies[ANOMALY_COLUMNS].drop_duplicates("anomaly_id")
    rows = rows.assign(event_date=rows["event_time"].dt.date)
    spark.createDataFrame(rows).createOrReplaceTempView("batch_anomalies")
    note_dates(spark, set(rows["event_date"]))
    names = ", ".join(rows.columns)
    spark.sql(f"""
        MERGE INTO {lake.sql(ANOMALIES)} t USING batch_anomalies s
        ON t.anomaly_id = s.anomaly_id AND t.event_date IN ({date_list(rows["event_date"])})
        WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({", ".join(f"s.{c}" for c in rows.columns)})
    """).collect()
