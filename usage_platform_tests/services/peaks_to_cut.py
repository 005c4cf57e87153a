"""A run of peak warnings in a process of its own, which is killed on its way.

`python -m usage_platform_tests.services.peaks_to_cut BOOTSTRAP LAKE AS_OF CUT`; the cut is `before
the commit`, with the messages at the broker, or `before the record` of what was published.
"""

import os
import signal
import sys
from typing import Any

from confluent_kafka import Producer

from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.stores.peak_record import PeakRecord, PeakRecords
from usage_platform.services import score_fencing
from usage_platform.services.peak_publisher import PeakPublisher
from usage_platform.services.peak_warnings import publish_peak_warnings
from usage_platform_tests.services.peaked_meters import LAKE_ID, inputs_of


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class CutProducer(Producer):
    """A producer whose process dies when its messages are at the broker, uncommitted."""

    def commit_transaction(self, *args: Any) -> None:
        """Die, with the messages sent."""
        del args
        self.flush(10)
        _die()


class CutRecords(PeakRecords):
    """Records at whose first writing with a warning the process dies."""

    def write(self, record: PeakRecord) -> None:
        """Write what has no warning, and die at the first that has one."""
        if record.warnings:
            _die()
        super().write(record)


def main() -> None:
    """Publish what is due, and die."""
    bootstrap, root, as_of, cut = sys.argv[1:]
    if cut == "before the commit":
        score_fencing.Producer = CutProducer  # type: ignore[misc]
    lake = Lake(root)
    records = (CutRecords if cut == "before the record" else PeakRecords)(LakeFiles(lake.assets))
    publisher = PeakPublisher(KafkaSettings(bootstrap), LAKE_ID)
    publish_peak_warnings(inputs_of(lake), publisher, records, int(as_of), print)


if __name__ == "__main__":
    main()
