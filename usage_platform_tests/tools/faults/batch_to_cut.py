"""A micro-batch that is disturbed at a place: Spark calls it in a worker beside the service.

Belongs here: the platform's own batch with a halt between two of its steps, with a commit that is
held, or without its lake from there on. Not here: killing the service (`rounds_of_spark`).
"""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from usage_platform.adapters.lake import row_writer, usage_events
from usage_platform.adapters.lake.tables import (
    READINGS,
    REJECTS,
    USAGE_HOURLY,
    Lake,
    LakeTable,
)
from usage_platform.adapters.spark.usage_batch import write_usage_batch
from usage_platform.core.meters import MeterRegistry
from usage_platform_tests.tools.faults.delta_folder import hold_next_commit

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable
    from pyspark.sql import DataFrame

_ENDLESS = 2**31 - 1

BEFORE_REJECTS = "before the rejects"
AFTER_REJECTS = "after the rejects, before the readings"
AFTER_READINGS = "after the readings, before the hours"
AFTER_HOURS = "after the hours, before the checkpoint's commit"
STEPS = {
    BEFORE_REJECTS: ("merge_rejects", False),
    AFTER_REJECTS: ("merge_rejects", True),
    AFTER_READINGS: ("_write_readings", True),
    AFTER_HOURS: ("merge_hours", True),
}
"""The step of `usage_events` at each place, and whether it is done by then."""
WRITTEN: dict[str, set[LakeTable]] = {
    BEFORE_REJECTS: set(),
    AFTER_REJECTS: {REJECTS},
    AFTER_READINGS: {REJECTS, READINGS},
    AFTER_HOURS: {REJECTS, READINGS, USAGE_HOURLY},
}
"""The tables that a batch has written at each place."""


def apply_to_cut(
    place: str, marker: str, lake: Lake, registry: MeterRegistry, frame: "DataFrame", batch_id: int
) -> None:
    """Apply a batch up to a place, leave a mark there, and go no further.

    Args:
        place: One of `STEPS`.
        marker: The file to make when it is reached.
        lake: As for `write_usage_batch`, like the arguments after it.
        registry: The known meters.
        frame: Rows of Spark's Kafka source.
        batch_id: The stream's number of the batch.
    """
    name, is_done = STEPS[place]
    step: Callable[..., None] = getattr(usage_events, name)

    def halting(*args: Any) -> None:
        if is_done:
            step(*args)
        Path(marker).touch()
        while True:
            time.sleep(60)

    with patch.object(usage_events, name, halting):
        write_usage_batch(lake, registry, frame, batch_id)


def apply_with_commit_held(
    table: LakeTable, lake: Lake, registry: MeterRegistry, frame: "DataFrame", batch_id: int
) -> None:
    """Apply a batch whose first commit of a table is held until somebody releases it.

    Args:
        table: The table, in a lake of this machine.
        lake: As for `write_usage_batch`, like the arguments after it.
        registry: The known meters.
        frame: Rows of Spark's Kafka source.
        batch_id: The stream's number of the batch.
    """
    folder, write = Path(lake.table(table)), row_writer.write_deltalake
    held = False

    def held_write(delta: "DeltaTable", rows: "pa.Table", **options: Any) -> None:
        nonlocal held
        if not held and Path(delta.table_uri).name == folder.name:
            held = True
            options["commit_properties"].max_commit_retries = _ENDLESS
            hold_next_commit(folder)
        write(delta, rows, **options)

    with patch.object(row_writer, "write_deltalake", held_write):
        write_usage_batch(lake, registry, frame, batch_id)


def apply_until_the_lake_goes(
    server: int, lake: Lake, registry: MeterRegistry, frame: "DataFrame", batch_id: int
) -> None:
    """Apply a batch whose lake goes away between its readings and its hours.

    Args:
        server: The process that keeps the lake, which is killed.
        lake: As for `write_usage_batch`, like the arguments after it.
        registry: The known meters.
        frame: Rows of Spark's Kafka source.
        batch_id: The stream's number of the batch.
    """
    name, _ = STEPS[AFTER_READINGS]
    step: Callable[..., None] = getattr(usage_events, name)

    def last(*args: Any) -> None:
        step(*args)
        os.kill(server, signal.SIGKILL)

    with patch.object(usage_events, name, last):
        write_usage_batch(lake, registry, frame, batch_id)
