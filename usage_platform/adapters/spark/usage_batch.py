"""A micro-batch of the topic `usage`, as Spark calls it.

Not here: what comes of its events (`adapters.lake.usage_events`), the stream itself
(`services.ingest`).
"""

from typing import TYPE_CHECKING

from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.lake.usage_events import apply_events
from usage_platform.adapters.spark.batch_messages import collected_messages
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.validation import RAW_COLUMNS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


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
    raw = collected_messages(frame, registry.limits.event_bytes)
    if not raw.empty:
        apply_events(lake, registry, raw.loc[:, RAW_COLUMNS])
