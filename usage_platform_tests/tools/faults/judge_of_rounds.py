"""What the rounds' scorers judge by, and what an undisturbed one tells of the same events.

Belongs here: a model made by hand, so that no round trains one, and the expected records. Not here:
Kafka.
"""

from collections.abc import Hashable

import pandas as pd

from usage_platform.adapters.kafka.topics import ANOMALY, DEAD_LETTERS, EPISODE
from usage_platform.core.anomalies.stream import ScorerState
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform_tests.core.anomalies.nothing_before import NothingBefore
from usage_platform_tests.core.detector.made_models import cut_forests, model, timeline_of
from usage_platform_tests.tools.faults.events import EventStream

METER = Meter("a", interval_minutes=60)
REGISTRY = MeterRegistry(METER)
START = pd.Timestamp("2024-02-05T05:00:00Z")
OUTPUTS = (ANOMALY, EPISODE, DEAD_LETTERS)
"""The topics that one transaction writes to."""


def timeline() -> ModelTimeline:
    """A model that finds everything above 200 kW odd."""
    return timeline_of(model("made", START, {METER.name: cut_forests(METER)}))


def expected_outputs(events: EventStream, until: int) -> list[tuple[str, Hashable]]:
    """What must have been told of the events before an offset, in one go and without Kafka.

    Returns:
        `(topic, what it says)`, each once, in no order.
    """
    readings = events.readings(until)
    if readings.empty:
        return [(DEAD_LETTERS, raw) for raw in events.rejects(until)]
    told = ScorerState(NothingBefore()).process(readings, timeline(), REGISTRY)
    return [
        *((ANOMALY, name) for name in told.anomalies["anomaly_id"]),
        *((EPISODE, event.event_id) for event in told.episodes),
        *((DEAD_LETTERS, raw) for raw in events.rejects(until)),
    ]
