"""Four hourly meters on a topic of four partitions, and scorers that divide them.

Belongs here: their readings, model and messages. Not here: the tests.
"""

from functools import partial
from types import SimpleNamespace

import pandas as pd

from usage_platform.adapters.kafka.topics import EPISODE
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.core.anomalies.anomaly import find_anomalies
from usage_platform.core.anomalies.stream import ScorerState
from usage_platform.core.detector.baseline.slot_forests import train_slot_forests
from usage_platform.core.detector.manifest import Model
from usage_platform.core.readings.messages import usage_messages
from usage_platform.services.score import Scorer
from usage_platform.services.score_division import Division, Share
from usage_platform.services.score_meters import MeterClaims
from usage_platform_tests.core.anomalies.nothing_before import NothingBefore
from usage_platform_tests.core.detector.made_models import model
from usage_platform_tests.services.score.hourly_meter import (
    HISTORY,
    HOURS,
    JUDGED,
    METER,
    REGISTRY,
    as_table,
    readings,
    told,
)

METERS = ("a", "b", "c", "d")
"""Each has its events in the partition of its place."""


def four_meters_model() -> Model:
    history = as_table(readings(HISTORY, 24 * 35, 1))
    forests = train_slot_forests(history, METER, lambda done, total: None)
    return model("four", JUDGED, dict.fromkeys(METERS, forests))


def four_meters() -> pd.DataFrame:
    """Ten days of each, hour by hour."""
    parts = [
        readings(JUDGED, HOURS, seed=20 + n).assign(meter=name) for n, name in enumerate(METERS)
    ]
    return pd.concat(parts).sort_values(["ts", "meter"], ignore_index=True)


def placed(frame) -> list[tuple[int, bytes]]:
    """The events, each with its partition."""
    places = frame["meter"].map(METERS.index)
    return list(zip(places.tolist(), usage_messages(frame), strict=True))


def told_of_all(frame, timeline) -> SimpleNamespace:
    """What one scorer tells of readings that come all at once, without Kafka."""
    state = ScorerState(NothingBefore())
    output = state.process(as_table(frame), timeline, REGISTRY)
    found = find_anomalies(as_table(frame), timeline, REGISTRY).anomalies
    assert found["meter"].nunique() == len(METERS)
    return SimpleNamespace(
        anomalies=found.sort_values(["meter", "event_time"], ignore_index=True),
        episodes=sorted(event.value for event in output.episodes),
    )


def assert_all_told_once(kafka, read_all, expected):
    rows = told(kafka, read_all).sort_values(["meter", "event_time"], ignore_index=True)
    pd.testing.assert_frame_equal(rows, expected.anomalies)
    assert sorted(m.value() for m in read_all(kafka, EPISODE)) == expected.episodes


def divided(kafka, lake, scorers: int) -> list[Scorer]:
    """The scorers of a new division, all in this process."""
    claims, reader = MeterClaims(), LakeReader(lake)
    made: list[Scorer] = []
    for number in range(scorers):
        division = made[0].share.division if made else Division(scorers=scorers)
        claim = partial(claims.claim, number) if scorers > 1 else None
        made.append(Scorer(kafka, reader, Share(number, division), claim))
    return made
