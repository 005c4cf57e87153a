"""An hourly meter that is scored: its readings and models, and what is told of them.

Belongs here: making them, and reading the topics. Not here: the tests.
"""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from usage_platform.adapters.kafka.topics import ANOMALY, EPISODE
from usage_platform.core.anomalies.anomaly import PUBLISHED, find_anomalies
from usage_platform.core.anomalies.message_parsing import anomalies_from_messages
from usage_platform.core.anomalies.stream import ScorerState
from usage_platform.core.detector.baseline.slot_forests import train_slot_forests
from usage_platform.core.detector.manifest import model_version
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.services.tick_request import TickRequest
from usage_platform_tests.core.anomalies.nothing_before import NothingBefore
from usage_platform_tests.core.detector.made_models import model

METER = Meter("a", interval_minutes=60)
REGISTRY = MeterRegistry(METER)
HISTORY = pd.Timestamp("2024-01-01T05:00:00Z")
JUDGED = HISTORY + pd.Timedelta(weeks=5)
NEXT = JUDGED + pd.Timedelta(days=6)
"""From when the model after the first one judges."""

HOURS = 24 * 10
FOREVER = 120.0


def readings(start, hours, seed):
    """A building that draws more by day, with some noise and a spike now and then."""
    rng = np.random.default_rng(seed)
    times = pd.date_range(start, periods=hours, freq="h", unit="ns")
    values = 500 + 200 * np.sin(np.arange(hours) * 2 * np.pi / 24) + rng.normal(0, 10, hours)
    values[rng.random(hours) < 0.1] *= 1.5
    return pd.DataFrame({"meter": METER.name, "ts": times, "value": values.round(1)})


def as_table(frame):
    return frame.rename(columns={"ts": "event_time"})


def small_model(begin, seed):
    """Trained on five weeks of hours."""
    history = as_table(readings(HISTORY, 24 * 35, seed))
    forests = {METER.name: train_slot_forests(history, METER, lambda done, total: None)}
    return model(model_version(begin, forests), begin, forests)


def told_in_one_go(frame, timeline):
    """What is to be told of readings that come all at once, without Kafka."""
    told = ScorerState(NothingBefore()).process(as_table(frame), timeline, REGISTRY)
    found = find_anomalies(as_table(frame), timeline, REGISTRY)
    pd.testing.assert_frame_equal(told.anomalies, found.anomalies)
    assert found.scored == len(frame)
    assert 20 < len(found.anomalies) < HOURS
    return SimpleNamespace(
        anomalies=found.anomalies, episodes=sorted(event.value for event in told.episodes)
    )


def tick(scorer, timeline, seconds=FOREVER, listen=False, horizon=None):
    return scorer.tick(TickRequest(timeline, REGISTRY, seconds, listen=listen, horizon=horizon))


def told(kafka, read_all):
    return anomalies_from_messages([m.value() for m in read_all(kafka, ANOMALY)])


def standing(kafka, read_all):
    """The anomalies as their last messages say."""
    last = told(kafka, read_all).drop_duplicates("anomaly_id", keep="last")
    stands = last[last["status"] == PUBLISHED]
    return stands.sort_values(["meter", "event_time"], ignore_index=True)


def assert_told_once(kafka, read_all, expected):
    pd.testing.assert_frame_equal(told(kafka, read_all), expected.anomalies)
    assert sorted(m.value() for m in read_all(kafka, EPISODE)) == expected.episodes
