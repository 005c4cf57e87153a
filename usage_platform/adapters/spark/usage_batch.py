"""The micro-batch: events from the topic `usage` into `readings`, `rejects` and `usage_hourly`.

Belongs here: writing one batch of the stream. Not here: what makes an event valid
(`core.readings`), the statement for the hours (`hourly_sql`), the stream itself
(`services.ingest`).

Each step is a MERGE by key and may be repeated: running a batch again after a crash, or reading the
whole topic again after a lost checkpoint, changes nothing.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from usage_platform.adapters.lake.admitted_meters import AdmittedMeters
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY, Lake
from usage_platform.adapters.lake.touched_readings import is_any_there, readings_of_hours
from usage_platform.adapters.lake.written_intervals import check_intervals
from usage_platform.adapters.spark.batch_messages import collected_messages
from usage_platform.adapters.spark.commit_dates import date_list, note_dates
from usage_platform.adapters.spark.hourly_sql import merge_hours
from usage_platform.adapters.spark.rejects_table import merge_rejects
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.hourly import WATERMARK, audited_hours
from usage_platform.core.readings.validation import (
    RAW_COLUMNS,
    Batch,
    touched_hours,
    validate_events,
    with_intervals,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_LOOK_BACK = timedelta(days=7)
_NAMES = (
    *("meter", "event_time", "event_date", "value", "kafka_time", "partition", "offset"),
    *("late", "rev"),
)
_COLUMNS = ", ".join(_NAMES)
_COLUMNS_OF_SOURCE = ", ".join(f"s.{name}" for name in _NAMES)


def write_usage_batch(
    lake: Lake, registry: MeterRegistry, frame: "DataFrame", batch_id: int
) -> None:
    """Write one batch of the stream; Spark calls it, in a worker beside the service.

    Args:
        lake: The lake.
        registry: The known meters.
        frame: Rows of Spark's Kafka source.
        batch_id: Number of the batch in its stream; unused, because every write is by key.
    """
    del batch_id
    spark = frame.sparkSession
    raw = collected_messages(frame, registry.limits.event_bytes)
    if not raw.empty:
        apply_events(spark, lake, registry, raw.loc[:, RAW_COLUMNS])


def apply_events(
    spark: "SparkSession", lake: Lake, registry: MeterRegistry, raw: pd.DataFrame
) -> Batch:
    """Validate events and write them; nothing else writes to the three tables.

    Args:
        spark: The session that may write to the lake.
        lake: The lake.
        registry: The known meters.
        raw: `core.readings.validation.RAW_COLUMNS`, at least one row; with the partition, offset
            and broker time that each event has on the topic, however late it is written.

    Returns:
        The readings and the rejects.
    """
    batch = validate_events(raw, registry, AdmittedMeters(lake).admit)
    if not batch.rejects.empty:
        merge_rejects(spark, lake, batch.rejects)
    if not batch.readings.empty:
        _merge_readings_and_hours(spark, lake, registry, batch.readings)
    return batch


def _merge_readings_and_hours(
    spark: "SparkSession", lake: Lake, registry: MeterRegistry, readings: pd.DataFrame
) -> None:
    newest_in_batch = readings.groupby("meter")["event_time"].max()
    since = readings["event_time"].min().date() - _LOOK_BACK
    check_intervals(lake, registry, newest_in_batch.index, since)
    before = newest_before(lake, newest_in_batch)
    _write_readings(spark, lake, readings, before)
    # The hours come from the batch, not from the rows inserted: a batch that runs again after a
    # crash between the two MERGEs inserts nothing and must still recompute the hours.
    hours = pd.concat([touched_hours(readings, registry), hours_to_close(before, registry)])
    hours = hours.drop_duplicates(["meter", "start"], ignore_index=True)
    newest = pd.concat([newest_in_batch, before]).groupby(level=0).max()
    _merge_hours(spark, lake, registry, hours, newest)


def _merge_hours(
    spark: "SparkSession",
    lake: Lake,
    registry: MeterRegistry,
    hours: pd.DataFrame,
    newest: pd.Series,
) -> None:
    """Recompute hours from `readings`, here: planning it in Spark takes longer than reading it."""
    rows = audited_hours(readings_of_hours(LakeReader(lake), hours), registry, newest)
    rows = rows.assign(event_date=rows["start"].dt.date)
    rows = rows.astype({"n": "int32", "expected_n": "int32"})
    merge_hours(spark, lake, spark.createDataFrame(rows), set(rows["event_date"]))


def newest_before(lake: Lake, newest: pd.Series) -> pd.Series:
    """Each meter's newest reading before this batch (index meter, UTC), by `usage_hourly`.

    The hours say it and not the readings: after a crash between the two, the hours must catch up. A
    meter's newest is nearly always within a week of the batch's, so the whole table is searched
    only for a meter that has no row there. Rows of other meters are never in memory.

    Args:
        lake: The lake.
        newest: Each meter's newest reading now (index meter, datetime64[ns, UTC]); not empty.
    """
    reader = LakeReader(lake)
    found: list[pd.Series] = []
    missing = list(newest.index)
    for since in (newest.min().date() - _LOOK_BACK, None):
        rows = reader.rows(USAGE_HOURLY, ["meter", "last_reading"], first=since, meters=missing)
        found.append(rows.groupby("meter")["last_reading"].max())
        missing = [name for name in missing if name not in found[-1].index]
        if not missing:
            break
    return pd.concat(found).reindex(newest.index).dropna()


def hours_to_close(before: pd.Series, registry: MeterRegistry) -> pd.DataFrame:
    """The hours that were open before these readings arrived and may be final after them.

    Args:
        before: As from `newest_before`.
        registry: The known meters.

    Returns:
        `meter`, `start`, `interval_minutes`, as `merge_hours` takes them.
    """
    parts = [
        pd.DataFrame({"meter": before.index, "start": before.dt.floor("h") - back}).reset_index(
            drop=True
        )
        for back in (pd.Timedelta(0), WATERMARK, 2 * WATERMARK)
    ]
    return with_intervals(pd.concat(parts, ignore_index=True), registry)


def _write_readings(
    spark: "SparkSession", lake: Lake, readings: pd.DataFrame, before: pd.Series
) -> None:
    hour_end = readings["event_time"].dt.floor("h") + pd.Timedelta(hours=1)
    closed_until = readings["meter"].map(before).astype("datetime64[ns, UTC]")
    rows = readings.assign(
        event_date=readings["event_time"].dt.date,
        late=(hour_end + WATERMARK <= closed_until),
        rev=0,
    )
    note_dates(spark, rows["event_date"])
    spark.createDataFrame(rows).createOrReplaceTempView("batch_readings")
    if is_any_there(LakeReader(lake), readings):
        _merge_readings(spark, lake, rows["event_date"])
    else:
        _append_readings(spark, lake)


def _append_readings(spark: "SparkSession", lake: Lake) -> None:
    """Add readings none of which is there: nobody else writes meanwhile."""
    # A file a day, as MERGE writes them.
    spark.sql(f"""
        INSERT INTO {lake.sql(READINGS)} ({_COLUMNS})
        SELECT /*+ REPARTITION(event_date) */ {_COLUMNS} FROM batch_readings
    """).collect()


def _merge_readings(spark: "SparkSession", lake: Lake, dates: Iterable[date]) -> None:
    # A newer event with an equal value still updates kafka_time and offset: an older event with
    # another value must not win later.
    spark.sql(f"""
        MERGE INTO {lake.sql(READINGS)} t USING batch_readings s
        ON t.meter = s.meter AND t.event_time = s.event_time
           AND t.event_date IN ({date_list(dates)})
        WHEN MATCHED AND (s.kafka_time > t.kafka_time
                          OR (s.kafka_time = t.kafka_time AND s.offset > t.offset)
                          OR (s.kafka_time = t.kafka_time AND s.offset = t.offset
                              AND s.partition > t.partition))
        THEN UPDATE SET value = s.value, kafka_time = s.kafka_time, partition = s.partition,
                        offset = s.offset,
                        rev = t.rev + CASE WHEN s.value = t.value THEN 0 ELSE 1 END
        WHEN NOT MATCHED THEN INSERT ({_COLUMNS}) VALUES ({_COLUMNS_OF_SOURCE})
    """).collect()
