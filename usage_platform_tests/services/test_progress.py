"""Progress from a checkpoint's files, without a JVM; test_lake_streams reads real ones."""

import pandas as pd
import pytest
from confluent_kafka import Consumer, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.adapters.kafka.topics import ANOMALY, SCORER_GROUP, USAGE
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.messages import usage_messages
from usage_platform.services.progress import (
    Lag,
    backlog,
    lag_into_lake,
    lag_of_scoring,
)

REGISTRY = MeterRegistry(Meter("library"))
START = pd.Timestamp("2024-03-05T10:00:00Z")


@pytest.mark.parametrize(
    ("ends", "done", "expected"),
    [
        ({}, {}, 0),
        ({0: (0, 7)}, {}, 7),
        ({0: (0, 7)}, {0: 7}, 0),
        ({0: (0, 7), 1: (0, 5)}, {0: 6}, 6),
        # What retention took away waits no more.
        ({0: (4, 7)}, {}, 3),
        ({0: (4, 7)}, {0: 2}, 3),
    ],
)
def test_the_backlog_is_what_lies_between_done_and_the_ends(ends, done, expected):
    assert backlog(ends, done) == expected


@given(
    st.dictionaries(
        st.integers(0, 5), st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
    )
)
def test_the_backlog_is_never_less_than_nothing(partitions):
    ends = {p: (low, low + more) for p, (low, more, _) in partitions.items()}
    done = {p: min(at, ends[p][1]) for p, (_, _, at) in partitions.items()}
    assert 0 <= backlog(ends, done) <= sum(high - low for low, high in ends.values())


@pytest.mark.kafka
def test_lag_is_told_in_events_and_in_event_time(kafka, put, lake, write_table, spark_batch):
    reader = LakeReader(lake)
    assert lag_into_lake(reader, kafka, USAGE, REGISTRY) == Lag(0, pd.Timedelta(0))
    times = pd.date_range(START, periods=20, freq="5min", unit="ns")
    frame = pd.DataFrame({"meter": "library", "ts": times, "value": 1.0})
    # The last event is no reading, and tells no time.
    put(kafka, [*usage_messages(frame), b"not json"])
    nothing_yet = Lag(21, None)
    assert lag_into_lake(reader, kafka, USAGE, REGISTRY) == nothing_yet
    assert lag_of_scoring(kafka, REGISTRY) == nothing_yet

    ingested = frame.iloc[:8].rename(columns={"ts": "event_time"})
    write_table(lake, READINGS, ingested.assign(event_date=START.date()))
    spark_batch(0, {"0": 8})
    assert lag_into_lake(reader, kafka, USAGE, REGISTRY) == Lag(13, pd.Timedelta(hours=1))
    assert lag_into_lake(reader, kafka, ANOMALY, REGISTRY) == Lag(0, pd.Timedelta(0))

    client = Consumer(kafka.client(**{"group.id": SCORER_GROUP}))
    client.commit(offsets=[TopicPartition(USAGE, 0, 17)], asynchronous=False)
    assert lag_of_scoring(kafka, REGISTRY) == Lag(4, pd.Timedelta(minutes=15))
    client.commit(offsets=[TopicPartition(USAGE, 0, 21)], asynchronous=False)
    client.close()
    assert lag_of_scoring(kafka, REGISTRY) == Lag(0, pd.Timedelta(0))
