"""A turn of alerts in a process of its own, which is killed on its way.

`python -m usage_platform_tests.services.delivery_to_cut BOOTSTRAP FOLDER SINK URL CUT`; the cut is
`before the record` or `after the record` of the first alert.
"""

import os
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path

from usage_platform.adapters.alert_sinks.webhook import WebhookSink
from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.alert_record import AlertRecord, Failing
from usage_platform.core.alerts.alert import Severity, Standing
from usage_platform.core.alerts.storms import Storm
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.deliver_alerts import Delivery
from usage_platform.services.sink_turn import SinkTurn


class CutRecord(AlertRecord):
    """A record at whose first writing the process dies."""

    def __init__(self, assets: LakeFiles, sink: str, cut: str) -> None:
        super().__init__(assets, sink)
        self._cut = cut

    def write(
        self,
        standings: Mapping[str, Standing],
        storms: Mapping[str, Storm],
        failing: Failing | None,
    ) -> None:
        """Write, or not, and die."""
        if self._cut == "after the record":
            super().write(standings, storms, failing)
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Send what is due, and die."""
    bootstrap, folder, sink, url, cut = sys.argv[1:]
    record = CutRecord(LakeFiles(folder), sink, cut)
    webhook = WebhookSink(url, name=sink)
    kafka = KafkaSettings(bootstrap)
    turn = SinkTurn(Path(folder) / "run" / sink)
    delivery = Delivery(kafka, webhook, record, turn, MeterRegistry(), Severity.LOW, "lake")
    delivery.turn(datetime.now(UTC), repeat(True))


if __name__ == "__main__":
    main()
