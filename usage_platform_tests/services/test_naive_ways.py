"""Six ordinary situations: the usual design is silently wrong in each, and ours is right.

Both drain the same topic at the same four moments. Each situation has a meter of its own, and the
meter `clock` moves the naive way's one watermark on.
"""

import shutil
from types import SimpleNamespace

import pandas as pd
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from deltalake import DeltaTable

from usage_platform.adapters.kafka.topics import USAGE, end_offsets
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import READINGS, REJECTS, USAGE_HOURLY, Lake
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.services.ingest import drain_usage
from usage_platform_tests import oracle
from usage_platform_tests.oracle import Event, event
from usage_platform_tests.services.naive_hours import drain_naively

TEN = pd.Timestamp("2024-03-05T10:00:00Z")
REGISTRY = MeterRegistry(Meter("clock"))
METERS = ("twice", "late", "lost", "victim", "behind", "replayed", "clock")

pytestmark = [pytest.mark.kafka, pytest.mark.spark]


def five_minutes(meter, first, values):
    """Readings from an hour of the day on, `first` in hours."""
    start = TEN + pd.Timedelta(hours=first - 10)
    times = [start + pd.Timedelta(minutes=5 * n) for n in range(len(values))]
    return [event(meter, ts, value) for ts, value in zip(times, values, strict=True)]


def rising(lowest):
    """Twelve values, 10 kW apart."""
    return [lowest + 10.0 * n for n in range(12)]


def moments():
    """What comes before each of the four runs."""
    twice = five_minutes("twice", 10, rising(100))
    lost = five_minutes("lost", 10, rising(100))
    late = five_minutes("late", 10, rising(100))
    far = Event(event("victim", "2099-01-01T00:00:00Z", 1.0).payload, None)
    return [
        [
            *(twice + twice[6:]),
            *lost[:10],
            *late[1:],
            *five_minutes("replayed", 10, [700.0] * 12),
            *five_minutes("victim", 15, [50.0] * 12),
            *five_minutes("behind", 9, [50.0] * 12),
            *five_minutes("clock", 15, [1.0]),
        ],
        [
            late[0],
            *five_minutes("behind", 10, [60.0 + n for n in range(60)]),
            # The source was mended, and is played from its beginning.
            *five_minutes("replayed", 10, rising(100)),
            far,
        ],
        five_minutes("victim", 16, rising(100)),
        lost[10:],
    ]


@pytest.fixture(scope="module")
def both(fresh_topics, put, read_all, spark, tmp_path_factory):
    """The hours by the naive way, ours, and the oracle's tables."""
    kafka = fresh_topics()
    naive = str(tmp_path_factory.mktemp("naive"))
    lake = Lake(str(tmp_path_factory.mktemp("ours")))
    create_tables(lake)
    events = []
    for number, batch in enumerate(moments()):
        if number == 3:  # The checkpoints are lost, and the topic no longer holds what was read.
            shutil.rmtree(f"{naive}/checkpoint")
            shutil.rmtree(lake.checkpoint(USAGE))
            expire(kafka)
        meaning = {e.payload: e.reading for e in batch}
        put(kafka, [e.payload for e in batch])
        seen = {(e.partition, e.offset) for e in events}
        for message in read_all(kafka):
            if (message.partition(), message.offset()) not in seen:
                at = pd.Timestamp(message.timestamp()[1], unit="ms", tz="UTC")
                value = message.value()
                events.append(Event(value, meaning[value], message.offset(), 0, at))
        drain_naively(spark, naive, kafka.bootstrap, USAGE)
        drain_usage(spark, lake, REGISTRY, kafka, USAGE)
    expected = oracle.tables_of(events, dict.fromkeys(METERS, 5))
    rows = DeltaTable(f"{naive}/hours").to_pandas()
    return SimpleNamespace(naive=rows, lake=lake, expected=expected)


def expire(kafka):
    """What the broker's retention does."""
    ends = [TopicPartition(USAGE, p, end) for p, (_, end) in end_offsets(kafka, USAGE).items()]
    admin = AdminClient(kafka.client())
    for deleted in admin.delete_records(ends).values():
        deleted.result()


def naive_hours(both, meter):
    """The naive averages by hour of the day."""
    rows = both.naive[both.naive["meter"] == meter]
    return dict(sorted(zip(rows["start"].dt.hour, rows["avg_usage"], strict=True)))


def our_hours(both, meter):
    """Ours, once it is known that they are the oracle's rows, as are the readings below them."""
    for table in (READINGS, USAGE_HOURLY):
        expected = both.expected[table]
        there = oracle.rows_in(both.lake, table)[expected.columns]
        there, expected = (
            rows[rows["meter"] == meter].reset_index(drop=True) for rows in (there, expected)
        )
        pd.testing.assert_frame_equal(there, expected, check_exact=True)
    return dict(zip(there["start"].dt.hour, there["avg_usage"], strict=True))


def test_an_event_that_comes_twice_counts_once(both):
    assert our_hours(both, "twice") == {10: 155.0}
    assert naive_hours(both, "twice") == {10: 165.0}


def test_an_event_older_than_the_watermark_still_counts(both):
    assert our_hours(both, "late") == {10: 155.0}
    assert naive_hours(both, "late") == {10: 160.0}


def test_a_lost_checkpoint_does_not_put_part_of_an_hour_over_the_whole_one(both):
    assert our_hours(both, "lost") == {10: 155.0}
    assert naive_hours(both, "lost") == {10: 205.0}


def test_an_event_dated_2099_stops_nothing_and_is_a_reject(both):
    assert our_hours(both, "victim") == {15: 50.0, 16: 155.0}
    oracle.assert_table(both.lake, REJECTS, both.expected[REJECTS])
    assert len(both.expected[REJECTS]) == 1
    assert 16 not in naive_hours(both, "victim")


def test_a_meter_five_hours_behind_the_others_loses_nothing(both):
    hours = {10 + n: 65.5 + 12 * n for n in range(5)}
    assert our_hours(both, "behind") == {9: 50.0, **hours}
    missing = hours.keys() - naive_hours(both, "behind")
    assert {10, 11, 12} <= missing


def test_a_playback_restarted_over_the_same_dates_corrects_them(both):
    assert our_hours(both, "replayed") == {10: 155.0}
    assert naive_hours(both, "replayed") == {10: 700.0}
