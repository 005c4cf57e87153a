"""Where the ingested events are: readings + superseded + rejects = events."""

import json
from pathlib import Path

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.adapters.kafka.topics import ANOMALY, EPISODE, USAGE
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, REJECTS
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.validation import RAW_COLUMNS, validate_events
from usage_platform.services.event_counts import EventCounts, event_counts, reject_counts

NOW = pd.Timestamp.now(tz="UTC")


def write_checkpoint(lake, offsets):
    """As Spark leaves it after a batch."""
    folder = Path(lake.checkpoint(USAGE))
    for name in ("commits", "offsets"):
        (folder / name).mkdir(parents=True)
    (folder / "commits" / "0").write_text("v1\n{}")
    (folder / "offsets" / "0").write_text("v1\n{}\n" + json.dumps({USAGE: offsets}))


def write_rejects(lake, write_table, rows):
    frame = pd.DataFrame(rows, columns=["topic", "reason", "kafka_time"])
    frame["kafka_time"] = frame["kafka_time"].astype("datetime64[ns, UTC]")
    frame["received_date"] = frame["kafka_time"].dt.date
    write_table(lake, REJECTS, frame)


def test_what_is_neither_a_reading_nor_a_reject_is_superseded(lake, write_table):
    write_checkpoint(lake, {"0": 7, "1": 3})
    times = pd.date_range("2024-03-05", periods=4, freq="5min", tz="UTC", unit="ns")
    readings = pd.DataFrame({"meter": "a", "event_time": times, "value": 1.0})
    write_table(lake, READINGS, readings.assign(event_date=times.date))
    old = NOW - pd.Timedelta(days=2)
    strays = [(ANOMALY, "not_an_anomaly", NOW), (EPISODE, "not_an_episode", NOW)]
    write_rejects(lake, write_table, [(USAGE, "empty", NOW), (USAGE, "empty", old), *strays])
    rejects = reject_counts(LakeReader(lake))
    found = [(one.topic, one.reason, one.count, one.recent) for one in rejects]
    assert found == [
        (USAGE, "empty", 2, 1),
        (ANOMALY, "not_an_anomaly", 1, 1),
        (EPISODE, "not_an_episode", 1, 1),
    ]
    counts = event_counts(LakeReader(lake), rejects)
    assert counts == EventCounts(events=10, readings=4, rejects=2)
    assert counts.superseded == 4


def test_an_empty_lake_has_no_events(lake):
    rejects = reject_counts(LakeReader(lake))
    assert rejects == []
    assert event_counts(LakeReader(lake), rejects) == EventCounts(0, 0, 0)


values = st.sampled_from(
    [
        json.dumps({"meter": meter, "ts": f"2024-03-05T13:{minute}:00Z", "value": value}).encode()
        for meter in "ab"
        for minute in ("05", "10", "11")
        for value in (1, -1)
    ]
    + [None, b"x"]
)


@settings(max_examples=50, deadline=None)
@given(st.lists(values, max_size=12))
def test_each_event_of_a_batch_is_a_reading_superseded_or_a_reject(events):
    received = pd.Timestamp("2024-06-01T12:00:00Z")
    rows = [("usage", 0, offset, received, None, value) for offset, value in enumerate(events)]
    frame = pd.DataFrame(rows, columns=RAW_COLUMNS).astype({"kafka_time": "datetime64[ns, UTC]"})
    batch = validate_events(frame.astype({"value": object}), MeterRegistry())
    assert len(batch.readings) + batch.superseded + len(batch.rejects) == len(events)
