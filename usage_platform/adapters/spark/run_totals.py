"""The table `run_totals`: totals of runs that were removed from Dagster.

Belongs here: the MERGE of totals by day and job. Not here: which runs are summed (`defs`).
"""

from typing import TYPE_CHECKING

import pandas as pd

from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import RUN_TOTALS, Lake
from usage_platform.adapters.spark.commit_dates import date_list

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def add_run_totals(spark: "SparkSession", lake: Lake, totals: pd.DataFrame) -> None:
    """Add the totals of days and jobs that the table does not have yet.

    Existing totals stay: they were summed when no run was missing.

    Args:
        spark: The session that may write to the lake.
        lake: The lake.
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
