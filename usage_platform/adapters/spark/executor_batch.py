"""A micro-batch of the topic `usage`, carried out on the executors of a cluster.

Belongs here: which part of a batch is done by which tasks. Not here: what is done in each, which is
`core`'s and `adapters.lake.usage_events`', as in one process (`usage_batch`); merging rows
(`merged_frame`).

Each task of the Kafka source validates its events. The readings are then shuffled by meter, so that
a task has all of a meter's: it keeps the newest event of each, marks late ones, and computes the
hours. The driver knows the batch's meters, each with its newest reading, and no other row of it.
Tasks share the lake and nothing else, and may be repeated: an executor that dies loses what
other tasks do again. A task holds its share of a batch in memory, and the readings of the touched
hours.
"""

import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from usage_platform.adapters.lake.admitted_meters import AdmittedMeters
from usage_platform.adapters.lake.hours_table import HOUR_MERGE, hour_rows
from usage_platform.adapters.lake.rejects_table import REJECT_MERGE, reject_rows
from usage_platform.adapters.lake.row_writer import arrow_rows
from usage_platform.adapters.lake.tables import READINGS, REJECTS, USAGE_HOURLY, Lake, LakeTable
from usage_platform.adapters.lake.usage_events import (
    READING_MERGE,
    before_batch,
    hours_after_batch,
    reading_rows,
)
from usage_platform.adapters.spark.batch_messages import message_columns, with_times
from usage_platform.adapters.spark.merged_frame import merge_frame
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.validation import newest_per_reading, validate_events

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Batches = Iterator[pa.RecordBatch]

_COLUMNS = {column.name: column.spark_type for column in (*READINGS.schema, *REJECTS.schema)}
# A validated event is a reading, or a reject if it has a reason: the columns of both tables.
_VALIDATED = LakeTable("validated", "\n".join(f"{n} {kind}" for n, kind in _COLUMNS.items()), "")


def write_usage_batch_on_executors(
    lake: Lake, registry: MeterRegistry, frame: "DataFrame", batch_id: int
) -> None:
    """Write one batch of the stream; arguments and tables as of `usage_batch.write_usage_batch`."""
    del batch_id
    with ExitStack() as kept:

        def keep(rows: "DataFrame") -> "DataFrame":
            """Rows that are read more than once are computed once."""
            kept.callback(rows.unpersist)
            return rows.persist()

        messages = frame.selectExpr(*message_columns(registry.limits.event_bytes))
        validated = keep(messages.mapInArrow(_task(_validated, lake, registry), _ddl(_VALIDATED)))
        rejects = validated.where("reason IS NOT NULL").select(*_names(REJECTS))
        merge_frame(lake, REJECTS, rejects, REJECT_MERGE)
        readings = validated.where("reason IS NULL").select(*_names(READINGS))
        spans = _spans(readings)
        if spans.empty:
            return
        before = before_batch(lake, registry, spans["newest"], spans["oldest"].min().date())
        of_meters = readings.repartition("meter")
        placed = keep(of_meters.mapInArrow(_task(_placed, registry, before), _ddl(READINGS)))
        merge_frame(lake, READINGS, placed, READING_MERGE)
        # After the readings: the tasks read them from the table.
        hours = keep(placed.mapInArrow(_task(_hours, lake, registry, before), _ddl(USAGE_HOURLY)))
        merge_frame(lake, USAGE_HOURLY, hours, HOUR_MERGE)


def _spans(readings: "DataFrame") -> pd.DataFrame:
    """Each meter's `oldest` and `newest` reading (index meter, datetime64[ns, UTC])."""
    times = readings.selectExpr("meter", "event_time AS oldest", "event_time AS newest")
    found = times.groupBy("meter").agg({"oldest": "min", "newest": "max"}).toArrow().to_pandas()
    named = found.rename(columns={"min(oldest)": "oldest", "max(newest)": "newest"})
    return named.set_index("meter").astype("datetime64[ns, UTC]")


def _task(work: Callable[..., Batches], *arguments: object) -> Callable[[Batches], Batches]:
    """A function for the tasks whose pickle is the same each time that a plan is sent.

    Spark knows kept rows by the plan that made them, its functions' pickles included. A registry
    that has derived something since is pickled otherwise: its batch would be read and validated
    again, and its events counted twice.
    """
    return partial(_with_arguments, work, pickle.dumps(arguments))


def _with_arguments(work: Callable[..., Batches], pickled: bytes, batches: Batches) -> Batches:
    # From the driver of this batch, as all that Spark's tasks are given.
    return work(*pickle.loads(pickled), batches)  # noqa: S301


def _validated(lake: Lake, registry: MeterRegistry, batches: Batches) -> Batches:
    """Readings and rejects of some messages."""
    messages = _frame(batches)
    if messages is None:
        return
    batch = validate_events(with_times(messages), registry, AdmittedMeters(lake).admit)
    for rows in (batch.readings, reject_rows(batch.rejects)):
        yield from arrow_rows(_VALIDATED, rows).to_batches()


def _placed(registry: MeterRegistry, before: pd.Series, batches: Batches) -> Batches:
    """The readings of some meters as rows."""
    found = _frame(batches)
    if found is None:
        return
    rows = reading_rows(registry, newest_per_reading(found), before)
    yield from arrow_rows(READINGS, rows).to_batches()


def _hours(lake: Lake, registry: MeterRegistry, before: pd.Series, batches: Batches) -> Batches:
    """The hours that the readings of some meters change, as rows."""
    readings = _frame(batches)
    if readings is None:
        return
    of_meters = before[before.index.isin(readings["meter"].unique())]
    hours = hours_after_batch(lake, registry, readings, of_meters)
    yield from arrow_rows(USAGE_HOURLY, hour_rows(hours)).to_batches()


def _frame(batches: Batches) -> pd.DataFrame | None:
    """All rows of a task, times in nanoseconds as in one process; None without a row."""
    there = [batch for batch in batches if batch.num_rows]
    if not there:
        return None
    table = pa.Table.from_batches(there)
    times = [field.name for field in table.schema if pa.types.is_timestamp(field.type)]
    return table.to_pandas().astype(dict.fromkeys(times, "datetime64[ns, UTC]"))


def _names(table: LakeTable) -> Sequence[str]:
    return [column.name for column in table.schema]


def _ddl(table: LakeTable) -> str:
    return ", ".join(f"`{column.name}` {column.spark_type}" for column in table.schema)
