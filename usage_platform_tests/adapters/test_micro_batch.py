"""The micro-batch on real Spark and Delta: the tables are a function of the readings alone.

Batches are handed over as Spark's Kafka source would, so that what is in which batch, and how
often, is the test's to say. The oracle is a dictionary and pandas.
"""

import json
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters import micro_batch
from usage_platform.adapters.commit_dates import dates_since
from usage_platform.adapters.hourly_sql import merge_hours
from usage_platform.adapters.lake_reader import LakeReader
from usage_platform.adapters.lake_tables import (
    READER_VERSION,
    READINGS,
    REJECTS,
    TABLES,
    USAGE_HOURLY,
    Lake,
    create_tables,
)
from usage_platform.core.batch import touched_hours
from usage_platform.core.hourly import hourly_from_readings
from usage_platform.core.local_time import local_day_bounds
from usage_platform.core.meters import Meter, MeterRegistry

LIBRARY, ANNEX = Meter("library"), Meter("annex", "Europe/Rome", 15)
REGISTRY = MeterRegistry(LIBRARY).with_meters([ANNEX])
SPRING, AUTUMN = date(2024, 3, 10), date(2024, 11, 3)
RECEIVED = pd.Timestamp("2024-12-01T00:00:00Z")
KEYS = {
    READINGS: ["meter", "event_time"],
    USAGE_HOURLY: ["meter", "start"],
    REJECTS: ["kafka_time", "partition", "offset"],
}

pytestmark = pytest.mark.spark


@dataclass(frozen=True)
class Event:
    """One event of the topic; `reading` is None where it is no reading."""

    payload: bytes
    reading: tuple[str, pd.Timestamp, float] | None
    offset: int = 0
    partition: int = 0
    kafka_time: pd.Timestamp = RECEIVED


def event(meter, ts, value, **place):
    ts = pd.Timestamp(ts)
    payload = json.dumps({"meter": meter, "ts": ts.isoformat(), "value": value}).encode()
    return Event(payload, (meter, ts.tz_convert("UTC"), value), **place)


def appended(payloads):
    """The events with their places, five in each millisecond of the broker's clock."""
    return [
        Event(e.payload, e.reading, n, 0, RECEIVED + pd.Timedelta(milliseconds=n // 5))
        for n, e in enumerate(payloads)
    ]


def apply(spark, lake, events):
    frame = pd.DataFrame(
        {
            "topic": "usage",
            "partition": np.array([e.partition for e in events], dtype="int32"),
            "offset": np.array([e.offset for e in events], dtype="int64"),
            "timestamp": pd.Series([e.kafka_time for e in events]).astype("datetime64[ns, UTC]"),
            "value": [e.payload for e in events],
        }
    )
    micro_batch.apply_usage_batch(lake, REGISTRY, spark.createDataFrame(frame), 0)


def newest_wins(events):
    won = {}
    for e in sorted(events, key=lambda e: (e.kafka_time, e.offset, e.partition)):
        if e.reading is not None:
            won[e.reading[:2]] = (*e.reading, e.kafka_time, e.partition, e.offset)
    frame = pd.DataFrame(
        won.values(), columns=["meter", "event_time", "value", "kafka_time", "partition", "offset"]
    )
    times = dict.fromkeys(["event_time", "kafka_time"], "datetime64[ns, UTC]")
    frame = frame.astype({**times, "partition": "int32"})
    return frame.sort_values(KEYS[READINGS], ignore_index=True)


def hours_of(readings):
    hours = hourly_from_readings(readings, REGISTRY)
    by_hour = readings.groupby(["meter", readings["event_time"].dt.floor("h")])["event_time"].max()
    hours["last_reading"] = by_hour.array
    return hours.astype({"n": "int32", "expected_n": "int32"})


def rows_of(lake, table):
    rows = LakeReader(lake).rows(table)
    return rows.sort_values(KEYS[table], ignore_index=True)


def snapshot(lake):
    return {table: rows_of(lake, table) for table in KEYS}


def assert_unchanged(lake, before):
    for table, rows in snapshot(lake).items():
        pd.testing.assert_frame_equal(rows, before[table], check_exact=True)


def assert_right(lake, events):
    """The tables are what the oracle says of these events, to the last bit.

    Only `late`, `late_n` and `rev` are left out: they tell how a row came to be, batch by batch.
    """
    expected = newest_wins(events)
    readings = rows_of(lake, READINGS)
    assert (readings["event_date"] == readings["event_time"].dt.date).all()
    pd.testing.assert_frame_equal(readings[expected.columns], expected, check_exact=True)
    hours = hours_of(expected)
    pd.testing.assert_frame_equal(
        rows_of(lake, USAGE_HOURLY)[hours.columns], hours, check_exact=True
    )
    bad = {e.offset: e.payload for e in events if e.reading is None}
    rejects = rows_of(lake, REJECTS)
    assert dict(zip(rejects["offset"], rejects["raw"], strict=True)) == bad
    assert len(rejects) == len(bad)


def busy_topic():
    """Two meters over both changes of the clocks: repeated, corrected, late, out of order, bad."""
    rng = np.random.default_rng(7)
    good = []
    for meter, day in ((LIBRARY, SPRING), (LIBRARY, AUTUMN), (ANNEX, SPRING)):
        start, end = local_day_bounds(day, meter.timezone)
        times = pd.date_range(start, end, freq=f"{meter.interval_minutes}min", inclusive="left")
        local = times.tz_convert(meter.timezone)
        values = rng.random(len(local)).tolist()
        good += [event(meter.name, ts, v) for ts, v in zip(local, values, strict=True)]
    late = [n for n in range(len(good)) if n % 23 == 0]
    order = [n for n in range(len(good)) if n % 23]
    order = [n for _, n in sorted((n + rng.normal(0, 20), n) for n in order)] + late
    topic = [good[n] for n in order]
    again = [good[int(n)] for n in rng.integers(0, len(good), 60)]
    corrected = [
        event(good[int(n)].reading[0], good[int(n)].reading[1], 1000 + float(n))
        for n in rng.integers(0, len(good), 60)
    ]
    bad = [Event(b"not json %d" % n, None) for n in range(15)]
    for extra in (*again, *corrected, *bad):
        topic.insert(int(rng.integers(0, len(topic))), extra)
    return with_ties(appended(topic))


def with_ties(events):
    """Two readings more, each twice: at one offset of two partitions, in one millisecond."""
    (low, high), (other_high, other_low) = (
        [
            event("shed", ts, float(p), partition=p, offset=10**6, kafka_time=RECEIVED)
            for p in partitions
        ]
        for ts, partitions in (("2024-03-10T12:00:00Z", (0, 1)), ("2024-03-10T12:05:00Z", (1, 0)))
    )
    return [low, other_high, *events, high, other_low]


@pytest.fixture(scope="module")
def topic():
    return busy_topic()


@pytest.fixture(scope="module")
def filled(spark, topic, tmp_path_factory) -> Lake:
    """A lake that the busy topic came into in one batch."""
    lake = Lake(str(tmp_path_factory.mktemp("filled")))
    create_tables(spark, lake)
    apply(spark, lake, topic)
    return lake


@pytest.fixture
def empty(spark, lake) -> Lake:
    create_tables(spark, lake)
    return lake


def test_one_batch_makes_the_tables_that_the_readings_say(filled, topic):
    assert_right(filled, topic)


def test_batches_that_overlap_and_come_in_another_order_make_the_same_tables(spark, empty, topic):
    half = len(topic) // 2
    apply(spark, empty, topic[half:])
    apply(spark, empty, topic[: half + 50])
    assert_right(empty, topic)


def test_a_batch_that_comes_again_changes_no_row(spark, filled, topic):
    before = snapshot(filled)
    apply(spark, filled, topic[: len(topic) // 2])
    assert_unchanged(filled, before)


def test_a_day_has_23_or_25_hours_when_the_clocks_change(filled):
    hours = rows_of(filled, USAGE_HOURLY)
    own = hours[(hours["meter"] == "library") & (hours["n"] == 12)]
    days = own["start"].dt.tz_convert(LIBRARY.timezone).dt.date
    assert days.value_counts().to_dict() == {SPRING: 23, AUTUMN: 25}


def test_every_table_stays_at_reader_version_1(filled):
    reader = LakeReader(filled)
    assert {reader.state(table).reader_version for table in TABLES} == {READER_VERSION}


def test_the_commits_say_which_days_changed(filled):
    hours = rows_of(filled, USAGE_HOURLY)
    assert dates_since(LakeReader(filled), USAGE_HOURLY, 0) == sorted(set(hours["event_date"]))


def backfill(spark, lake, day):
    rows = LakeReader(lake).rows(READINGS, ["meter", "event_time"], day, day)
    merge_hours(spark, lake, touched_hours(rows, REGISTRY), date(1970, 1, 1))


def test_a_backfill_changes_nothing_where_the_hours_are_right(spark, filled):
    before = snapshot(filled)
    backfill(spark, filled, SPRING)
    assert_unchanged(filled, before)


def test_a_backfill_mends_hours_that_were_damaged_or_lost(spark, filled, topic):
    table, day = filled.sql(USAGE_HOURLY), SPRING.isoformat()
    wrong = "avg_usage = avg_usage + 1e-9, is_final = false, last_reading = NULL"
    morning = f"event_date = '{day}' AND hour(start) < 12"
    spark.sql(f"UPDATE {table} SET {wrong} WHERE {morning}").collect()
    lost = f"event_date = '{day}' AND hour(start) = 15"
    spark.sql(f"DELETE FROM {table} WHERE {lost}").collect()
    with pytest.raises(AssertionError):
        assert_right(filled, topic)
    backfill(spark, filled, SPRING)
    assert_right(filled, topic)


def test_a_crash_between_readings_and_hours_is_mended_by_the_batch_run_again(
    spark, empty, monkeypatch
):
    start = pd.Timestamp("2024-03-05T10:00:00Z")
    times = [start + pd.Timedelta(minutes=m) for m in (0, 5, 130)]
    events = appended([Event(b"bad", None), *(event("library", ts, 2.0) for ts in times)])

    def crash(*_):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(micro_batch, "merge_hours", crash)
        with pytest.raises(RuntimeError, match="killed"):
            apply(spark, empty, events)
    assert len(rows_of(empty, READINGS)) == 3
    assert rows_of(empty, USAGE_HOURLY).empty
    apply(spark, empty, events)
    assert_right(empty, events)


def test_an_hour_is_final_an_hour_after_its_end_and_what_comes_then_is_late(spark, empty):
    def at(clock, meter="library", value=1.0):
        return event(meter, f"2024-03-05T{clock}:00Z", value)

    batches = (
        [at("10:00"), at("10:05"), at("11:00")],
        [at("12:00")],
        # 10:10 is late; 11:05 is not, as hour 11 is open; the shed has a clock of its own.
        [at("10:10"), at("10:00", value=2.0), at("11:05"), at("03:00", meter="shed")],
    )
    events = appended([e for batch in batches for e in batch])
    finals, done = [], 0
    for batch in batches:
        apply(spark, empty, events[done : done + len(batch)])
        done += len(batch)
        hours = rows_of(empty, USAGE_HOURLY).query("meter == 'library'")
        finals.append(hours["is_final"].tolist())
    assert finals == [[False, False], [True, False, False], [True, False, False]]
    assert_right(empty, events)
    readings = rows_of(empty, READINGS)
    assert readings.loc[readings["late"], "event_time"].tolist() == [events[4].reading[1]]
    # The correction counts as a change of its row, and is not late: the row was in time.
    assert readings.loc[readings["rev"] > 0, "value"].tolist() == [2.0]
    ten = rows_of(empty, USAGE_HOURLY).query("meter == 'library'").iloc[0]
    # Made by the first batch, closed by the second, changed by the third.
    assert (ten["n"], ten["late_n"], ten["rev"]) == (3, 1, 2)
