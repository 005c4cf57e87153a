"""The table `usage_cost`: what each hour of each meter costs and emits.

Belongs here: the MERGE that writes it. Not here: what an hour costs (`core.tariffs.hours`), which
months are computed (`services.usage_cost`).
"""

from typing import TYPE_CHECKING

import pandas as pd

from usage_platform.adapters.lake.tables import USAGE_COST, Lake
from usage_platform.adapters.spark.commit_dates import date_list, note_dates

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_KEYS = ("meter", "start")
COST_COLUMNS = [column.name for column in USAGE_COST.schema if column.name != "rev"]
"""What a row holds before it is written."""


def merge_costs(spark: "SparkSession", lake: Lake, costs: pd.DataFrame) -> None:
    """Write hours; equal rows do not change.

    Args:
        spark: The session that may write to the lake.
        lake: The lake, with the table.
        costs: `COST_COLUMNS`; an hour once; at least one row.
    """
    columns = ", ".join(
        f"{column.name} {column.spark_type}"
        for column in USAGE_COST.schema
        if column.name in COST_COLUMNS
    )
    spark.createDataFrame(costs[COST_COLUMNS], columns).createOrReplaceTempView("computed_costs")
    note_dates(spark, costs["event_date"])
    compared = [name for name in COST_COLUMNS if name not in (*_KEYS, "end", "event_date")]
    changed = " OR ".join(f"NOT (t.{name} <=> s.{name})" for name in compared)
    updates = ", ".join(f"{name} = s.{name}" for name in compared)
    spark.sql(f"""
        MERGE INTO {lake.sql(USAGE_COST)} t USING computed_costs s
        ON t.meter = s.meter AND t.start = s.start
           AND t.event_date IN ({date_list(costs["event_date"])})
        WHEN MATCHED AND ({changed}) THEN UPDATE SET {updates}, rev = t.rev + 1
        WHEN NOT MATCHED THEN INSERT ({", ".join(COST_COLUMNS)}, rev)
             VALUES ({", ".join(f"s.{name}" for name in COST_COLUMNS)}, 0)
    """).collect()
