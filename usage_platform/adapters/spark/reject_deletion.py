"""Deletion of rejects from the lake, by their place on the topic.

Belongs here: the MERGE that deletes. Not here: which rejects go (`services.redrive`).
"""

from typing import TYPE_CHECKING

import pandas as pd

from usage_platform.adapters.lake.tables import REJECTS, Lake
from usage_platform.adapters.spark.commit_dates import date_list, note_dates
from usage_platform.core.readings.validation import EVENT_PLACE

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


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
