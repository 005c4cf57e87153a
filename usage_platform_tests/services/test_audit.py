"""The self-audit on the real broker: right tables pass, and each kind of damage is found.

The tables are written without Spark, as the micro-batch would, and then damaged.
"""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.kafka.events import committed_reader, messages_between, raw_frame
from usage_platform.adapters.kafka.topics import USAGE, end_offsets
from usage_platform.adapters.lake.admitted_meters import AdmittedMeters
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, REJECTS, USAGE_HOURLY
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.hourly import hourly_from_readings
from usage_platform.core.readings.messages import usage_messages
from usage_platform.core.readings.row_comparison import RowComparison
from usage_platform.core.readings.validation import validate_events
from usage_platform.services import audit as audit_adapter
from usage_platform.services.audit import audit_days, days_with_rows

pytestmark = pytest.mark.kafka

REGISTRY = MeterRegistry(Meter("library", interval_minutes=60))
START = pd.Timestamp("2024-03-05T00:00:00Z")
DAYS = [date(2024, 3, 6), date(2024, 3, 8)]
NAIVE = b'{"ts": "2024-03-10 02:00:00", "value": 5}'


def right(rows: RowComparison) -> bool:
    return rows.wrong == 0 and rows.expected_digest == rows.actual_digest


@pytest.fixture(scope="module")
def topic(fresh_topics, put):
    """Five days of hourly readings of two meters, with bad events, repeats and a correction."""
    kafka = fresh_topics(partitions=2)
    for partition, meter in enumerate(("library", "annex")):
        times = pd.date_range(START, periods=24 * 5, freq="h", unit="ns")
        frame = pd.DataFrame({"meter": meter, "ts": times, "value": np.arange(120.0)})
        events = usage_messages(frame)
        bad = [b"not json %d" % n for n in range(10)]
        again = usage_messages(frame.iloc[30:33])
        corrected = usage_messages(frame.iloc[40:41].assign(value=999.0))
        batch = [*events[:60], *bad, NAIVE, *events[60:], *again, *corrected]
        put(kafka, [(partition, value) for value in batch])
    return kafka


@pytest.fixture(scope="module")
def events(topic) -> pd.DataFrame:
    ends = {p: high for p, (_, high) in end_offsets(topic, USAGE).items()}
    with committed_reader(topic, "test") as client:
        return raw_frame(list(messages_between(client, USAGE, dict.fromkeys(ends, 0), ends)))


@pytest.fixture
def tables(events) -> dict:
    """What the micro-batch would make of the topic."""
    batch = validate_events(events, REGISTRY)
    hours = hourly_from_readings(batch.readings, REGISTRY)
    return {READINGS: batch.readings, USAGE_HOURLY: hours, REJECTS: batch.rejects}


@pytest.fixture
def audited(topic, events, lake, write_table, spark_batch):
    """Write tables, damaged or not, and audit two of their days."""

    def run(tables, days=DAYS, registry=REGISTRY, ingested=None):
        times = {READINGS: "event_time", USAGE_HOURLY: "start", REJECTS: "kafka_time"}
        for table, rows in tables.items():
            dated = rows.assign(**{table.partition: rows[times[table]].dt.date})
            write_table(lake, table, dated)
        # As the first batch of a lake lists them, whatever becomes of its tables.
        AdmittedMeters(lake).admit(["library", "annex"], registry)
        ends = events.groupby("partition")["offset"].max() + 1
        spark_batch(0, ingested or {str(p): int(end) for p, end in ends.items()})
        return audit_days(LakeReader(lake), topic, registry, days)

    return run


def test_right_tables_are_what_the_topic_says(audited, tables):
    found = audited(tables)
    assert right(found.readings)
    assert right(found.hours)
    assert right(found.rejects)
    assert found.readings.compared == found.hours.compared == 2 * 2 * 24
    assert found.rows_compared > 2 * found.readings.compared
    assert (found.rows_wrong, found.not_retained, found.not_read, found.to_redrive) == (0, 0, 0, 0)
    assert found.events > found.readings.compared


def day_of(rows, column, day=DAYS[0]):
    return rows.index[rows[column].dt.date == day]


def lose_a_reading(tables):
    rows = tables[READINGS]
    return {**tables, READINGS: rows.drop(index=day_of(rows, "event_time")[0])}


def change_a_value(tables):
    rows = tables[READINGS].copy()
    rows.loc[day_of(rows, "event_time")[5], "value"] += 1e-9
    return {**tables, READINGS: rows}


def make_up_a_reading(tables):
    rows = tables[READINGS]
    copied = rows.loc[day_of(rows, "event_time")[:1]]
    made_up = copied.assign(event_time=copied["event_time"] + pd.Timedelta(minutes=7))
    return {**tables, READINGS: pd.concat([rows, made_up])}


def make_up_an_event(tables):
    rows = make_up_a_reading(tables)[READINGS].reset_index(drop=True)
    rows.loc[len(rows) - 1, "offset"] = 10**9
    return {**tables, READINGS: rows}


def spoil_an_hour(tables):
    rows = tables[USAGE_HOURLY].copy()
    rows.loc[day_of(rows, "start")[3], "energy_kwh"] *= 2
    return {**tables, USAGE_HOURLY: rows}


@pytest.mark.parametrize(
    ("damage", "table", "kind"),
    [
        (lose_a_reading, "readings", "missing"),
        (change_a_value, "readings", "different"),
        (make_up_a_reading, "readings", "extra"),
        (make_up_an_event, "readings", "extra"),
        (spoil_an_hour, "hours", "different"),
    ],
)
def test_damage_is_found_and_said_of_the_right_table(audited, tables, damage, table, kind):
    found = audited(damage(tables))
    assert getattr(getattr(found, table), kind) == 1
    assert found.rows_wrong == 1
    assert getattr(found, table).expected_digest != getattr(found, table).actual_digest


def test_a_reject_that_is_lost_and_one_that_was_changed_are_found(audited, tables):
    # All are received in the middle of the seventh, which lies between no two days but these.
    rejects = tables[REJECTS].drop(index=[3])
    rejects.loc[5, "raw"] = b"another"
    found = audited({**tables, REJECTS: rejects}, days=[date(2024, 3, 7)])
    assert (found.rejects.missing, found.rejects.different, found.rows_wrong) == (1, 1, 2)


def test_a_day_that_is_gone_from_the_table_is_missed(audited, tables):
    rows = tables[READINGS]
    found = audited({**tables, READINGS: rows.drop(index=day_of(rows, "event_time"))})
    assert found.readings.missing == 48
    assert found.hours.wrong == 0


def test_days_have_rows_that_have_readings_hours_or_rejects_and_no_day_between(
    lake, tables, write_table
):
    reader = LakeReader(lake)
    assert days_with_rows(reader) == frozenset()
    stray = tables[READINGS].iloc[:1].assign(event_date=date(1971, 1, 1))
    hours = tables[USAGE_HOURLY].iloc[:1].assign(event_date=date(2024, 3, 6))
    rejects = tables[REJECTS].iloc[:1].assign(received_date=date(2024, 3, 8))
    write_table(lake, READINGS, stray)
    write_table(lake, USAGE_HOURLY, hours)
    write_table(lake, REJECTS, rejects)
    assert days_with_rows(reader) == {date(1971, 1, 1), date(2024, 3, 6), date(2024, 3, 8)}


def test_a_day_of_rejects_alone_is_compared(audited, tables, lake):
    received = tables[REJECTS]["kafka_time"].dt.date.iloc[0]
    nothing = {table: rows.iloc[:0] for table, rows in tables.items() if table != REJECTS}
    found = audited({**nothing, REJECTS: tables[REJECTS].iloc[1:]}, days=[received])
    assert days_with_rows(LakeReader(lake)) == {received}
    assert (found.rejects.missing, found.rows_wrong) == (1, 1)


def test_what_was_not_ingested_yet_is_not_missing(audited, tables, events):
    late = events["offset"] >= 100
    batch = validate_events(events[~late], REGISTRY)
    made = {
        READINGS: batch.readings,
        USAGE_HOURLY: hourly_from_readings(batch.readings, REGISTRY),
        REJECTS: batch.rejects,
    }
    found = audited(made, ingested={"0": 100, "1": 100})
    assert found.rows_wrong == 0
    assert found.readings.compared > 24


def test_rejects_that_are_readings_in_another_time_zone_wait_to_be_redriven(audited, tables):
    rome = MeterRegistry(Meter("library", "Europe/Rome", 60))
    found = audited(tables, days=[date(2024, 3, 7)], registry=rome)
    assert (found.to_redrive, found.rows_wrong) == (2, 0)


def test_no_more_events_are_read_than_a_day_may_have(audited, tables, monkeypatch):
    monkeypatch.setattr(audit_adapter, "MOST_EVENTS_A_DAY", 20)
    found = audited(tables)
    assert found.events <= 40
    assert found.not_read > 0
    assert found.readings.compared + found.not_read == 96
    assert found.rows_wrong == 0


def test_what_the_topic_has_let_go_of_is_counted_and_not_compared(audited, tables, topic):
    from confluent_kafka import TopicPartition
    from confluent_kafka.admin import AdminClient

    cut = TopicPartition(USAGE, 0, 36)
    admin = AdminClient(topic.client())
    admin.delete_records([cut])[cut].result(30)
    found = audited(tables)
    # The library's first twelve hours of the sixth, less three that came again later.
    assert (found.not_retained, found.not_read, found.rows_wrong) == (9, 0, 0)
    assert found.readings.compared == 96 - 9
