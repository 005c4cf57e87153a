"""The table `run_totals`: what is kept of runs after Dagster has forgotten them.

Belongs here: the merge of totals by day and job. Not here: which runs are summed (`defs`).
"""

from typing import TYPE_CHECKING

import pandas as pd

from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import RUN_TOTALS, Lake
from usage_platform.adapters.spark.commit_dates import date_list

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def add_run_totals(spark: "SparkSession", lake: Lake, totals: pd.DataFrame) -> None:
    """Add totals of days and jobs that are not there yet.

    Those that are there stay: they were summed when no run was missing.

    Args:
        spark: The session of the service that owns the lake's writes.
        lake: Where the table is.
        totals: `day` (dates), `job`, `runs`, `failed`, `seconds`, `events`.
    """
    create_tables(lake, (RUN_TOTALS,))
    if totals.empty:
        return
    spark.createDataFrame(totals).createOrReplaceTempView("batch_run_totals")
    names = ", ".join(totals.columns)
    spark.sql(f"""
        MERGE INTO {lake.sql(RUN_TOTALS)} t USING batch_run_totals s
        ON t.day = s.day AND t.job = s.job AND t.day IN ({date_list(totals["day"])})
        WHEN NOT MATCHED THEN INSERT ({names})
        VALUES ({", ".join(f"s.{name}" for name in totals.columns)})
    """).collect()
