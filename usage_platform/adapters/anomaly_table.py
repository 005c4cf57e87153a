"""The table `anomalies`: filled from the topic, or from a backfill that scored `readings` again.

Belongs here: the merge of anomalies by their id. Not here: what an anomaly is (`core.anomalies`).
"""

from typing import TYPE_CHECKING

import pandas as pd

from usage_platform.adapters.commit_dates import date_list, note_dates
from usage_platform.adapters.lake_tables import ANOMALIES, Lake
from usage_platform.core.anomalies import ANOMALY_COLUMNS, NUMBERS, anomalies_from_messages

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def apply_anomaly_batch(lake: Lake, frame: "DataFrame", batch_id: int) -> None:
    """Write one batch of the topic `anomaly`; Spark calls it, in a worker beside the service."""
    del batch_id
    rows = frame.select("partition", "offset", "value").toPandas()
    # Of several messages on an anomaly the newest counts; one meter's share a partition.
    values = rows.sort_values(["partition", "offset"])["value"].tolist()
    if values:
        merge_anomalies(frame.sparkSession, lake, anomalies_from_messages(values))


def merge_anomalies(spark: "SparkSession", lake: Lake, anomalies: pd.DataFrame) -> None:
    """Put anomalies into the table; of one that is there what is another is changed.

    Args:
        spark: The session of the service that owns the lake's writes.
        lake: Where the table is.
        anomalies: `ANOMALY_COLUMNS`; `event_time` is datetime64[ns, UTC]; of rows of one id the
            last counts.
    """
    if anomalies.empty:
        return
    rows = anomalies[ANOMALY_COLUMNS].drop_duplicates("anomaly_id", keep="last")
    rows = rows.assign(event_date=rows["event_time"].dt.date)
    spark.createDataFrame(rows).createOrReplaceTempView("batch_anomalies")
    note_dates(spark, set(rows["event_date"]))
    names = list(rows.columns)
    # NaN may come as a number; unknown is NULL.
    unknown = "nanvl({0}, CAST(NULL AS DOUBLE)) AS {0}"
    source = ", ".join(unknown.format(name) if name in NUMBERS else name for name in names)
    others = [name for name in names if name not in {"anomaly_id", "event_date"}]
    differs = " OR ".join(f"NOT t.{name} <=> s.{name}" for name in others)
    spark.sql(f"""
        MERGE INTO {lake.sql(ANOMALIES)} t USING (SELECT {source} FROM batch_anomalies) s
        ON t.anomaly_id = s.anomaly_id AND t.event_date IN ({date_list(rows["event_date"])})
        WHEN MATCHED AND ({differs})
        THEN UPDATE SET {", ".join(f"{name} = s.{name}" for name in others)}
        WHEN NOT MATCHED THEN INSERT ({", ".join(names)})
        VALUES ({", ".join(f"s.{name}" for name in names)})
    """).collect()
