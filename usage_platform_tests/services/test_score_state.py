"""A scorer that starts in the middle goes on as if it had never stopped, wherever the lake is."""

from contextlib import closing
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import ANOMALY, EPISODE, USAGE
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.core.anomalies.anomaly import PUBLISHED, find_anomalies
from usage_platform.core.anomalies.message_parsing import anomalies_from_messages
from usage_platform.core.anomalies.stream import RETENTION, ScorerState
from usage_platform.core.detector.model_timeline import LOOK_BACK, ModelTimeline
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.train import train
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.messages import usage_messages
from usage_platform.services.score import Scorer
from usage_platform.services.tick_request import TickRequest
from usage_platform_tests.core.anomalies.nothing_before import NothingBefore
from usage_platform_tests.core.detector.made_models import model, timeline_of
from usage_platform_tests.core.detector.series import DAY, HOURLY, library
from usage_platform_tests.stray_messages import STRAY
from usage_platform_tests.topics import recreate_topic

REGISTRY = MeterRegistry(HOURLY)
INSTANTS, VALUES = library(days=112)
LEARNED = 35
BEGIN = int(INSTANTS[0]) + LEARNED * DAY
FOREVER = 120.0
# In a run of equal readings that lasts from the hundredth reading on, and in an episode.
STUCK = 24 * 104
MIDDLE = STUCK + 9
SOON = pd.Timedelta(hours=1)
"""When the events of the lake come to the topic, at the latest."""

pytestmark = pytest.mark.kafka


def faulty(values):
    """Spikes, a shift of the level, and a meter that stands still for a day."""
    values = values.copy()
    values[24 * 40 :: 24 * 9 + 5] *= 1.6
    values[24 * 80 : 24 * 82] += 300
    values[STUCK : STUCK + 24] = values[STUCK]
    return values


@pytest.fixture(scope="module")
def readings() -> pd.DataFrame:
    times = pd.DatetimeIndex(INSTANTS).tz_localize("UTC")
    return pd.DataFrame({"meter": HOURLY.name, "ts": times, "value": faulty(VALUES)})


@pytest.fixture(scope="module")
def timeline() -> ModelTimeline:
    detector = train(INSTANTS, VALUES, HOURLY, TrainingOptions(method=Method.ROBUST_Z), BEGIN)
    return timeline_of(model("v", pd.Timestamp(BEGIN, tz="UTC"), {HOURLY.name: detector}))


def as_table(frame):
    return frame.rename(columns={"ts": "event_time"})


@pytest.fixture(scope="module")
def expected(readings, timeline) -> SimpleNamespace:
    """What is told when it all comes in one go, without Kafka and without a restart."""
    told = ScorerState(NothingBefore()).process(as_table(readings), timeline, REGISTRY)
    rows = told.anomalies
    at = readings["ts"][MIDDLE]
    before, after = rows[rows["event_time"] < at], rows[rows["event_time"] >= at]
    assert set(before["episode"]) & set(after["episode"])
    assert (after["kind"] == "stuck").any()
    return SimpleNamespace(anomalies=rows, episodes=sorted(event.value for event in told.episodes))


@pytest.fixture
def ingest(lake, write_table, spark_batch):
    """Write the table as the stream into the lake would have: the newest event of each reading."""

    def write(events, appended=SOON):
        rows = as_table(events).assign(
            event_date=events["ts"].dt.date,
            kafka_time=pd.Timestamp.now(tz="UTC") + appended,
            partition=0,
            offset=range(len(events)),
            late=False,
            rev=0,
        )
        newest = rows.drop_duplicates(["meter", "event_time"], keep="last")
        write_table(lake, READINGS, newest)
        spark_batch(0, {"0": len(events)})

    return write


@pytest.fixture
def score(kafka, put, lake, timeline):
    """Events that come, and a scorer of their own that takes them."""

    def run(events):
        put(kafka, usage_messages(events), key=b"m")
        with closing(Scorer(kafka, LakeReader(lake))) as scorer:
            result = scorer.tick(TickRequest(timeline, REGISTRY, FOREVER))
        assert (result.events, result.lag) == (len(events), 0)
        return result

    return run


@pytest.fixture
def told(kafka, read_all):
    return lambda: anomalies_from_messages([m.value() for m in read_all(kafka, ANOMALY)])


def standing(rows):
    """The anomalies as their last messages say."""
    last = rows.drop_duplicates("anomaly_id", keep="last")
    stands = last[last["status"] == PUBLISHED]
    return stands.sort_values(["meter", "event_time"], ignore_index=True)


def test_stray_messages_on_the_topics_it_publishes_to_stop_no_scorer(
    kafka, put, score, told, readings, expected
):
    for part in (readings[:MIDDLE], readings[MIDDLE:]):
        put(kafka, STRAY, ANOMALY)
        put(kafka, STRAY, EPISODE)
        score(part)
    pd.testing.assert_frame_equal(told(), expected.anomalies)


@pytest.mark.parametrize(
    "in_lake",
    [None, MIDDLE - 3, len(INSTANTS)],
    ids=["not_there", "behind", "ahead"],
)
def test_a_restart_in_the_middle_changes_no_message(
    kafka, read_all, score, told, ingest, readings, expected, in_lake
):
    score(readings[:MIDDLE])
    if in_lake is not None:
        ingest(readings[:in_lake])
    score(readings[MIDDLE:])
    pd.testing.assert_frame_equal(told(), expected.anomalies)
    assert sorted(m.value() for m in read_all(kafka, EPISODE)) == expected.episodes


def test_a_reading_later_than_the_memory_reaches_finds_its_past_in_the_lake(
    score, told, ingest, readings, timeline
):
    late = int(np.flatnonzero(readings["ts"] >= pd.Timestamp(BEGIN, tz="UTC"))[30])
    assert readings["ts"].iloc[-1] - readings["ts"][late] > LOOK_BACK + RETENTION
    corrected = readings[late : late + 1].assign(value=5_000.0)
    in_time = readings.drop(index=late)
    score(in_time)
    ingest(in_time)
    score(corrected)
    whole = pd.concat([in_time, corrected]).sort_values("ts", ignore_index=True)
    found = find_anomalies(as_table(whole), timeline, REGISTRY).anomalies
    assert corrected["ts"].iloc[0] in set(found["event_time"])
    pd.testing.assert_frame_equal(standing(told()), found)


def test_events_that_come_again_while_the_scorer_is_away_end_in_the_same_anomalies(
    score, told, ingest, readings, expected
):
    again = readings[MIDDLE - 48 :]
    score(readings[:MIDDLE])
    # In the lake a reading stands with its newest event, which the scorer has not consumed.
    ingest(pd.concat([readings[:MIDDLE], again], ignore_index=True))
    score(again)
    pd.testing.assert_frame_equal(standing(told()), expected.anomalies)


def test_a_correction_that_is_in_the_lake_before_it_is_scored_is_told(
    score, told, ingest, readings, timeline
):
    at = MIDDLE - 30
    correction = readings[at : at + 1].assign(value=5_000.0)
    score(readings[:MIDDLE])
    rest = pd.concat([correction, readings[MIDDLE:]], ignore_index=True)
    ingest(pd.concat([readings[:MIDDLE], rest], ignore_index=True))
    score(rest)
    whole = as_table(readings.assign(value=readings["value"].where(readings.index != at, 5_000.0)))
    found = find_anomalies(whole, timeline, REGISTRY).anomalies
    assert readings["ts"][at] in set(found["event_time"])
    pd.testing.assert_frame_equal(standing(told()), found)


def test_where_only_events_that_are_no_readings_were_consumed_last_the_past_is_known_too(
    kafka, put, score, told, ingest, readings, expected, lake, timeline
):
    score(readings[:MIDDLE])
    put(kafka, [b"{"], key=b"m")
    with closing(Scorer(kafka, LakeReader(lake))) as scorer:
        assert scorer.tick(TickRequest(timeline, REGISTRY, FOREVER)).rejected == 1
    ingest(readings[:MIDDLE])
    score(readings[MIDDLE:])
    pd.testing.assert_frame_equal(told(), expected.anomalies)


def test_after_the_topic_was_created_again_the_readings_of_the_lake_are_the_past(
    kafka, score, told, ingest, readings, expected
):
    score(readings[:MIDDLE])
    ingest(readings[:MIDDLE], appended=-SOON)
    recreate_topic(kafka, USAGE)
    score(readings[MIDDLE:])
    pd.testing.assert_frame_equal(told(), expected.anomalies)
