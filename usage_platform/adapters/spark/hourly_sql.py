"""The many hours of a backfill, recomputed from `readings` in Spark SQL.

It computes the same as `core.readings.hourly`, to the last bit. Not here: merging them into
`usage_hourly` (`adapters.lake.hours_table`).
"""

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from usage_platform.adapters.lake.commit_dates import date_list
from usage_platform.adapters.lake.hours_table import merge_hours
from usage_platform.adapters.lake.tables import READINGS, Lake
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.meter_hours import expected_counts, hour_ends

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def recompute_hours(
    spark: "SparkSession",
    lake: Lake,
    registry: MeterRegistry,
    hours: pd.DataFrame,
    newest_from: date,
) -> None:
    """Recompute hours of `usage_hourly` from `readings`; equal rows do not change.

    Args:
        spark: The session that may write to the lake.
        lake: The lake.
        registry: Gives each meter's time zone.
        hours: `meter`, `start` (of an hour of the meter's clock), `interval_minutes`, `unit`;
            distinct.
        newest_from: A UTC date not after the newest reading of any of these meters; only newer
            partitions are searched for it.
    """
    ends = hour_ends(hours["start"], hours["meter"], registry)
    days = {*hours["start"].dt.date, *(ends - pd.Timedelta(1, "ns")).dt.date}
    whole = hours.assign(hour_end=ends, expected_n=expected_counts(hours, registry))
    spark.createDataFrame(_by_utc_hour(whole)).createOrReplaceTempView("touched_hours")
    recomputed = spark.sql(_recomputed(lake, date_list(days), newest_from)).toArrow()
    merge_hours(lake, recomputed.to_pandas())


def _by_utc_hour(hours: pd.DataFrame) -> pd.DataFrame:
    """A row for each hour of UTC, `utc_hour`, in which an hour lies: one, or two.

    So readings find their hour by a column that is equal; comparing each with all hours would take
    as long as their product.
    """
    first = hours["start"].dt.floor("h")
    last = (hours["hour_end"] - pd.Timedelta(1, "ns")).dt.floor("h")
    others = hours[last > first].assign(utc_hour=last)
    return pd.concat([hours.assign(utc_hour=first), others], ignore_index=True)


def _recomputed(lake: Lake, dates: str, newest_from: date) -> str:
    # Whole milliwatts are summed: an integer sum does not depend on the order of the rows.
    return f"""
        WITH newest AS (
            SELECT meter, max(event_time) AS newest FROM {lake.sql(READINGS)}
            WHERE event_date >= DATE'{newest_from.isoformat()}' GROUP BY meter
        ), sums AS (
            SELECT r.meter, h.start, h.hour_end, h.interval_minutes, h.expected_n, h.unit,
                   sum(CAST(rint(r.value * 1000000D) AS BIGINT)) / 1000000D AS total_kw,
                   CAST(count(*) AS INT) AS n, min(r.value) AS min_usage, max(r.value) AS max_usage,
                   max(r.event_time) AS last_reading, CAST(count_if(r.late) AS INT) AS late_n
            FROM {lake.sql(READINGS)} r
            JOIN touched_hours h
            ON r.meter = h.meter AND date_trunc('HOUR', r.event_time) = h.utc_hour
            AND r.event_time >= h.start AND r.event_time < h.hour_end
            WHERE r.event_date IN ({dates})
            GROUP BY r.meter, h.start, h.hour_end, h.interval_minutes, h.expected_n, h.unit
        )
        SELECT s.meter, s.start, s.hour_end AS end, to_date(s.start) AS event_date,
               total_kw / n AS avg_usage, n, CAST(expected_n AS INT) AS expected_n,
               min_usage, max_usage,
               if(unit = 'kW', total_kw * interval_minutes / 60D, NULL) AS energy_kwh,
               coalesce(s.hour_end + INTERVAL 1 HOUR <= newest.newest, false) AS is_final,
               last_reading, late_n, nullif(unit, 'kW') AS unit
        FROM sums s LEFT JOIN newest ON newest.meter = s.meter
    """
