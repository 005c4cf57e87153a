"""Events into real Delta tables: these are a function of the readings alone.

What is in which batch, and how often, is the test's to say.
"""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from usage_platform.adapters.lake import row_writer, usage_events
from usage_platform.adapters.lake.commit_dates import dates_since
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import (
    READER_VERSION,
    READINGS,
    TABLES,
    USAGE_HOURLY,
    Lake,
)
from usage_platform_tests import oracle
from usage_platform_tests.adapters.lake.busy_topic import (
    AUTUMN,
    LIBRARY,
    MINUTES,
    SPRING,
    appended,
    apply,
    busy_topic,
)
from usage_platform_tests.oracle import RECEIVED, Event, assert_right, event


def snapshot(lake):
    return {table: oracle.rows_in(lake, table) for table in oracle.KEYS}


def assert_unchanged(lake, before):
    for table, rows in snapshot(lake).items():
        pd.testing.assert_frame_equal(rows, before[table], check_exact=True)


@pytest.fixture(scope="module")
def topic():
    return busy_topic()


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Lake:
    """A lake of empty tables, to be copied."""
    lake = Lake(str(tmp_path_factory.mktemp("made")))
    create_tables(lake)
    return lake


@pytest.fixture(scope="module")
def filled(topic, made, tmp_path_factory) -> Lake:
    """A lake that the busy topic came into in one batch."""
    lake = copied(made, tmp_path_factory.mktemp("filled"))
    apply(lake, topic)
    return lake


@pytest.fixture
def empty(made, tmp_path) -> Lake:
    return copied(made, tmp_path)


def copied(lake, folder) -> Lake:
    return Lake(str(shutil.copytree(lake.root, folder / "copy")))


def test_one_batch_makes_the_tables_that_the_readings_say(filled, topic):
    assert_right(filled, topic, MINUTES)


def test_a_batch_opens_no_file_of_days_long_past(filled, topic, tmp_path):
    """They may be many, in a cheaper storage, or in the hands of an OPTIMIZE."""
    lake = copied(filled, tmp_path)
    received = RECEIVED + pd.Timedelta(days=9)
    more = [
        event("library", f"{AUTUMN}T23:55:00Z", 5.0, offset=10**8, kafka_time=received),
        Event(b"bad", None, offset=10**8 + 1, kafka_time=received),
    ]
    hidden = [
        path
        for path in Path(lake.root).rglob("*.parquet")
        if "_delta_log" not in path.parts and "_date=2024-11-" not in str(path)
    ]
    assert len(hidden) >= 3
    for path in hidden:
        path.rename(path.with_suffix(".hidden"))
    try:
        apply(lake, more)
    except Exception as error:
        pytest.fail(f"opened a file of long ago: {error}")
    for path in hidden:
        path.with_suffix(".hidden").rename(path)
    assert_right(lake, [*topic, *more], MINUTES)


def test_a_batch_that_comes_again_changes_no_row(filled, topic):
    before = snapshot(filled)
    apply(filled, topic[: len(topic) // 2])
    assert_unchanged(filled, before)


def test_rejects_of_a_topic_that_was_made_anew_stand_beside_those_of_the_old_one(empty):
    """It counts its offsets from 0 again."""
    later = RECEIVED + pd.Timedelta(minutes=1)
    rejects = [Event(b"bad", None, offset=0, kafka_time=at) for at in (RECEIVED, later)]
    for reject in rejects:
        apply(empty, [reject])
    assert_right(empty, rejects, MINUTES)


def test_a_day_has_23_or_25_hours_when_the_clocks_change(filled):
    hours = oracle.rows_in(filled, USAGE_HOURLY)
    own = hours[(hours["meter"] == "library") & (hours["n"] == 12)]
    days = own["start"].dt.tz_convert(LIBRARY.timezone).dt.date
    assert days.value_counts().to_dict() == {SPRING: 23, AUTUMN: 25}


def test_every_table_stays_at_reader_version_1(filled):
    reader = LakeReader(filled)
    assert {reader.state(table).reader_version for table in TABLES} == {READER_VERSION}


def test_the_commits_say_which_days_changed(filled):
    hours = oracle.rows_in(filled, USAGE_HOURLY)
    assert dates_since(LakeReader(filled), USAGE_HOURLY, 0) == sorted(set(hours["event_date"]))


def test_a_crash_between_readings_and_hours_is_mended_by_the_batch_run_again(empty, monkeypatch):
    start = pd.Timestamp("2024-03-05T10:00:00Z")
    times = [start + pd.Timedelta(minutes=m) for m in (0, 5, 130)]
    events = appended([Event(b"bad", None), *(event("library", ts, 2.0) for ts in times)])

    def crash(*_):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(usage_events, "merge_hours", crash)
        with pytest.raises(RuntimeError, match="killed"):
            apply(empty, events)
    assert len(oracle.rows_in(empty, READINGS)) == 3
    assert oracle.rows_in(empty, USAGE_HOURLY).empty
    apply(empty, events)
    assert_right(empty, events, MINUTES)


def test_an_hour_is_final_an_hour_after_its_end_and_what_comes_then_is_late(empty):
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
        apply(empty, events[done : done + len(batch)])
        done += len(batch)
        hours = oracle.rows_in(empty, USAGE_HOURLY).query("meter == 'library'")
        finals.append(hours["is_final"].tolist())
    assert finals == [[False, False], [True, False, False], [True, False, False]]
    assert_right(empty, events, MINUTES)
    readings = oracle.rows_in(empty, READINGS)
    assert readings.loc[readings["late"], "event_time"].tolist() == [events[4].reading[1]]
    # The correction counts as a change of its row, and is not late: the row was in time.
    assert readings.loc[readings["rev"] > 0, "value"].tolist() == [2.0]
    ten = oracle.rows_in(empty, USAGE_HOURLY).query("meter == 'library'").iloc[0]
    # Made by the first batch, closed by the second, changed by the third.
    assert (ten["n"], ten["late_n"], ten["rev"]) == (3, 1, 2)


def test_the_files_of_small_batches_are_put_together_as_they_come(empty, monkeypatch):
    monkeypatch.setattr(row_writer, "MOST_FILES_OF_A_DAY", 3)
    times = [f"2024-03-05T10:{5 * n:02}:00Z" for n in range(8)]
    events = appended([event("library", at, float(n)) for n, at in enumerate(times)])
    for one in events:
        apply(empty, [one])
    assert LakeReader(empty).state(READINGS).files <= 3
    assert_right(empty, events, MINUTES)
