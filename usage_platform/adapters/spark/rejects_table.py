"""The table `rejects`: messages that are neither a reading nor an anomaly, by their place.

Belongs here: the MERGEs that write and delete them. Not here: what is rejected
(`core.readings.validation`, `anomaly_table`), which rejects are redriven (`services.redrive`).
"""

from typing import TYPE_CHECKING

import pandas as pd

from usage_platform.adapters.lake.tables import REJECTS, Lake
from usage_platform.adapters.spark.commit_dates import date_list, note_dates
from usage_platform.core.readings.validation import EVENT_PLACE

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def merge_rejects(spark: "SparkSession", lake: Lake, rejects: pd.DataFrame) -> None:
    """Write rejects; one that was rejected before gets today's reason.

    Args:
        spark: The session that may write to the lake.
        lake: The lake.
        rejects: `core.readings.validation.REJECT_COLUMNS`; at least one row.
    """
    rows = rejects.assign(received_date=rejects["kafka_time"].dt.date)
    columns = (
        "topic STRING, partition INT, offset BIGINT, kafka_time TIMESTAMP, reason STRING, "
        "detail STRING, meter STRING, key BINARY, raw BINARY, received_date DATE"
    )
    spark.createDataFrame(rows, columns).createOrReplaceTempView("batch_rejects")
    note_dates(spark, rows["received_date"])
    names = ", ".join(rows.columns)
    days = date_list(rows["received_date"])
    # An event that was rejected before may have another reason today.
    verdict = ("reason", "detail", "meter")
    differs = " OR ".join(f"NOT (t.{c} <=> s.{c})" for c in verdict)
    spark.sql(f"""
        MERGE INTO {lake.sql(REJECTS)} t USING batch_rejects s
        ON t.topic = s.topic AND t.partition = s.partition AND t.offset = s.offset
           AND t.kafka_time = s.kafka_time AND t.received_date IN ({days})
        WHEN MATCHED AND ({differs}) THEN UPDATE SET {", ".join(f"{c} = s.{c}" for c in verdict)}
        WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({", ".join(f"s.{c}" for c in rows.columns)})
    """).collect()


def delete_rejects(spark: "SparkSession", lake: Lake, places: pd.DataFrame) -> None:
    """Delete rows of `rejects`.

    Args:
        spark: The session that may write to the lake.
        lake: The lake.
        places: `EVENT_PLACE` of the rows; those that the table lacks change nothing.
    """
    if places.empty:
        return
    rows = places[EVENT_PLACE]
    days = set(rows["kafka_time"].dt.date)
    spark.createDataFrame(rows).createOrReplaceTempView("rejects_to_delete")
    note_dates(spark, days)
    same = " AND ".join(f"t.{name} = s.{name}" for name in EVENT_PLACE)
    spark.sql(f"""
        MERGE INTO {lake.sql(REJECTS)} t USING rejects_to_delete s
        ON {same} AND t.received_date IN ({date_list(days)})
        WHEN MATCHED THEN DELETE
    """).collect()
