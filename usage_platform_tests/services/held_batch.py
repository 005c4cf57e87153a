"""A continuous ingestion to be killed: it halts within a batch, between its readings and its hours.

Run as a process of its own, `python -m`, with the lake's root, the data folder, Spark's and the
broker's addresses, the file that it makes within the batch, and the file that lets the batch go on.
"""

import sys
import time
from functools import partial
from pathlib import Path
from unittest.mock import patch

from usage_platform.adapters.kafka.topics import USAGE, KafkaSettings
from usage_platform.adapters.lake import usage_events
from usage_platform.adapters.lake.lease import writer_lease
from usage_platform.adapters.lake.lease_record import Holder
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.spark.session import remote_session
from usage_platform.adapters.spark.usage_batch import write_usage_batch
from usage_platform.services.ingest import fenced, start_stream
from usage_platform.services.lake_writer import LakeWriter
from usage_platform.services.topic_progress import start_of_stream
from usage_platform_tests.services.library_readings import REGISTRY


def write_and_halt(begun, goes_on, lake, frame, batch_id):
    """Write a batch; halt before its hours until a file says to go on."""
    merge = usage_events.merge_hours

    def halting(*args):
        Path(begun).touch()
        while not Path(goes_on).exists():
            time.sleep(0.05)
        merge(*args)

    with patch.object(usage_events, "merge_hours", halting):
        write_usage_batch(lake, REGISTRY, frame, batch_id)


def main(root, data, spark_url, bootstrap, begun, goes_on):
    """Ingest until somebody kills this process."""
    lake = Lake(root)
    lock = Path(data) / "run" / "lake_writer"
    lease = writer_lease(lake, Holder("here", data))
    writer = LakeWriter(lease, lake, lock, lambda: remote_session(spark_url), lambda: True)
    with writer.streaming() as (spark, turn):
        write = fenced(partial(write_and_halt, begun, goes_on, lake), turn)
        kafka = KafkaSettings(bootstrap)
        start = start_of_stream(lake, kafka, USAGE)
        start_stream(spark, lake, kafka, USAGE, write, start, processingTime="1 second")
        time.sleep(10_000)


if __name__ == "__main__":
    # By its own name, so that Spark's worker finds the function.
    from usage_platform_tests.services import held_batch

    held_batch.main(*sys.argv[1:])
