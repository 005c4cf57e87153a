"""A micro-batch of the topic `anomaly`, into the table `anomalies`.

Belongs here: telling anomalies from strays. Not here: merging them (`adapters.lake`), the stream
itself (`services.ingest`).
"""

from typing import TYPE_CHECKING

import numpy as np

from usage_platform.adapters.lake.anomaly_table import merge_published
from usage_platform.adapters.lake.rejects_table import merge_rejects
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.spark.batch_messages import collected_messages
from usage_platform.core.anomalies.message_parsing import (
    MOST_BYTES,
    anomaly_rows,
    parse_anomaly,
    stray_rejects,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def write_anomaly_batch(lake: Lake, frame: "DataFrame", batch_id: int) -> None:
    """Write one batch of the topic `anomaly`; Spark calls it, in a worker beside the service."""
    del batch_id
    messages = collected_messages(frame, MOST_BYTES, "coalesce(octet_length(value), 0) AS size")
    # The messages of a meter share a partition, until partitions are added to the topic.
    messages = messages.sort_values(["kafka_time", "offset", "partition"], ignore_index=True)
    parsed = [parse_anomaly(value) for value in messages["value"]]
    is_readable = np.array([message is not None for message in parsed], dtype=np.bool_)
    if not is_readable.all():
        merge_rejects(lake, stray_rejects(messages.loc[~is_readable], "not_an_anomaly"))
    if is_readable.any():
        anomalies = anomaly_rows([message for message in parsed if message is not None])
        at = messages.loc[is_readable, "kafka_time"].reset_index(drop=True)
        merge_published(lake, anomalies.assign(changed_at=at))
