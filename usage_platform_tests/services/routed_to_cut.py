"""A turn of alerts by routes that hold, in a process of its own, which is killed on its way.

`python -m usage_platform_tests.services.routed_to_cut BOOTSTRAP FOLDER URL SINK CUT NOW`: the cut
is `before the record` or `after the record` of the held alerts. Without a cut, `turn_of` builds the
same turn.
"""

import os
import signal
import sys
from datetime import datetime
from functools import partial
from pathlib import Path

from usage_platform.adapters.alert_sinks.webhook import WebhookSink
from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.alert_routes import routes_in
from usage_platform.core.alerts.alert import Severity
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.episode_feed import episode_feed
from usage_platform.services.route_decisions import RoutingInputs
from usage_platform.services.routed_alerts import RoutedAlerts
from usage_platform.services.sink_turn import SinkTurn

TARGET = "quiet-one"
ROUTES = f"""
targets: {{{TARGET}: {{sink: webhook}}}}
routes: [{{name: night, targets: [{TARGET}], quiet_hours: 22:00-07:00}}]
"""


class CutFiles(LakeFiles):
    """Files of which one is the last that the process writes, or not even that."""

    def __init__(self, root: str, cut: str) -> None:
        super().__init__(root)
        self._cut = cut

    def write_text(self, name: str, text: str) -> None:
        """Write, or die before or after it."""
        if name != f"alerts/{TARGET}.json":
            super().write_text(name, text)
            return
        if self._cut == "after the record":
            super().write_text(name, text)
        os.kill(os.getpid(), signal.SIGKILL)


def turn_of(kafka: KafkaSettings, files: LakeFiles, url: str, sink: str) -> RoutedAlerts:
    """A turn with one target that has quiet hours, and one sink."""
    folder = Path(files.root)
    inputs = RoutingInputs(
        routes=routes_in(ROUTES, "alerts.yaml"),
        sinks=[sink],
        least=Severity.LOW,
        registry=MeterRegistry(),
        groups=lambda meter: frozenset(),
        cost=lambda event: None,
        acknowledged=frozenset,
    )
    return RoutedAlerts(
        assets=files,
        targets={name: WebhookSink(url, name=name) for name in (sink, TARGET)},
        inputs=inputs,
        feed=partial(episode_feed, kafka, files, "lake", [sink]),
        turns=lambda name: SinkTurn(folder / "run" / name),
        give_up=lambda name, alert, reason, tries: None,
    )


def main() -> None:
    """Route what waits, and die."""
    bootstrap, folder, url, sink, cut, now = sys.argv[1:]
    turn = turn_of(KafkaSettings(bootstrap), CutFiles(folder, cut), url, sink)
    list(turn.turn(datetime.fromisoformat(now), 30.0))


if __name__ == "__main__":
    main()
