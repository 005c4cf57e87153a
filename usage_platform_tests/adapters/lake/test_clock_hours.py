"""`usage_hourly` holds the hours of each meter's own clock, whatever comes when."""

import re
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.adapters.lake import usage_events
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.row_writer import append_rows, delete_rows
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY, Lake
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.hourly import audited_hours
from usage_platform_tests.adapters.lake.half_hour_meters import (
    CHANGES,
    METERS,
    apply,
    assert_clock_hours,
    readings_around,
)
from usage_platform_tests.repository import ROOT

KOLKATA = METERS[0]
QUARTERS = MeterRegistry(replace(KOLKATA, interval_minutes=15))
IN_UTC = MeterRegistry(METERS[0]).with_meters([replace(m, timezone="UTC") for m in METERS])


@pytest.mark.parametrize("change", CHANGES)
def test_one_batch_makes_the_hours_of_the_clock(lake, change):
    create_tables(lake)
    apply(lake, readings_around(change))
    assert_clock_hours(lake)


@settings(max_examples=10)
@given(
    meters=st.sets(st.sampled_from(METERS), min_size=1, max_size=2),
    change=st.sampled_from(CHANGES),
    seed=st.integers(0, 2**32),
    batches=st.integers(1, 4),
    share=st.floats(0.05, 1),
)
def test_no_order_split_or_lateness_changes_the_hours(
    tmp_path_factory, meters, change, seed, batches, share
):
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    create_tables(lake)
    rng = np.random.default_rng(seed)
    events = readings_around(change, sorted(meters, key=lambda meter: meter.name))
    events = [one for one in events if rng.random() < share] or events[:1]
    late = [events[n] for n in rng.permutation(len(events))]
    for n in range(batches):
        some = late[n::batches]
        if some:
            apply(lake, some, offset=n * len(events))
    assert_clock_hours(lake)


def as_a_former_version_left_it(lake, registry=IN_UTC):
    """Write the hours of UTC of all readings in place of those that are there."""
    reader = LakeReader(lake)
    readings, keys = reader.rows(READINGS), ["meter", "start"]
    delete_rows(lake, USAGE_HOURLY, reader.rows(USAGE_HOURLY), keys)
    newest = readings.groupby("meter")["event_time"].max()
    hours = audited_hours(readings, registry, newest)
    append_rows(lake, USAGE_HOURLY, hours.assign(event_date=hours["start"].dt.date, rev=0))


@pytest.fixture
def former(lake):
    """A lake of hours of UTC, and events of all meters that come later: a day, and half a year."""
    create_tables(lake)
    apply(lake, readings_around("2024-03-10"))
    as_a_former_version_left_it(lake)
    with pytest.raises(AssertionError):
        assert_clock_hours(lake)
    return lake


@pytest.mark.parametrize("later", [timedelta(days=2), timedelta(days=200)])
def test_the_hours_of_a_former_version_are_replaced_before_new_ones_are_written(former, later):
    newest = LakeReader(former).rows(READINGS).groupby("meter")["event_time"].max()
    events = [
        one
        for one in readings_around(str((newest.max() + later).date()))
        if one.reading[1] > newest[one.reading[0]]
    ]
    apply(former, events, offset=10**6)
    assert_clock_hours(former)


def test_a_replacement_that_was_cut_short_is_done_again(former, monkeypatch):
    def cut(*args):
        raise KeyboardInterrupt

    events = readings_around("2024-03-13")
    with monkeypatch.context() as patch:
        patch.setattr("usage_platform.adapters.lake.former_hours.delete_rows", cut)
        with pytest.raises(KeyboardInterrupt):
            apply(former, events, offset=10**6)
    apply(former, events, offset=10**6)
    assert_clock_hours(former)


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Europe/London", "Australia/Lord_Howe"])
def test_a_meter_that_gets_another_zone_gets_its_hours(lake, zone):
    create_tables(lake)
    apply(lake, readings_around("2024-03-10", [replace(KOLKATA, interval_minutes=15)]), QUARTERS)
    moved = MeterRegistry(Meter("kolkata", zone, 15))
    apply(lake, readings_around("2024-03-13", [moved.default]), moved, offset=10**6)
    assert_clock_hours(lake, moved)


def test_hours_of_the_clock_are_never_looked_at_again(lake, monkeypatch):
    create_tables(lake)
    apply(lake, readings_around("2024-10-05"))
    looked = []
    monkeypatch.setattr(
        "usage_platform.adapters.lake.former_hours.former_hours", lambda *args: looked.append(args)
    )
    apply(lake, readings_around("2024-10-08"), offset=10**6)
    assert not looked
    assert_clock_hours(lake)


def test_an_hour_is_final_and_late_by_its_own_end(lake):
    create_tables(lake)
    events = readings_around("2024-03-10", [QUARTERS.default])
    start = pd.Timestamp("2024-03-10T18:30Z")
    before = [one for one in events if one.reading[1] < start + timedelta(hours=2)]
    apply(lake, [one for one in before if one.reading[1] != start], QUARTERS)

    def hour():
        rows = LakeReader(lake).rows(USAGE_HOURLY)
        return rows[rows["start"] == start].iloc[0]

    assert not hour()["is_final"]
    apply(
        lake,
        [one for one in events if one.reading[1] == start + timedelta(hours=2)],
        QUARTERS,
        9**6,
    )
    assert hour()["is_final"]
    apply(lake, [one for one in events if one.reading[1] == start], QUARTERS, 9**7)
    assert (hour()["n"], hour()["late_n"]) == (4, 1)
    assert pd.Timedelta(hours=1) == usage_events.WATERMARK


def test_the_documented_query_gives_local_days(lake):
    create_tables(lake)
    apply(lake, readings_around("2024-03-10", [QUARTERS.default]), QUARTERS)
    reference = (ROOT / "docs" / "reference.md").read_text("utf-8")
    (query,) = re.findall(r"```\n(SELECT meter, date_trunc.*?)```", reference, re.DOTALL)
    rows = LakeReader(lake).query_rows(query)
    readings = LakeReader(lake).rows(READINGS)
    local_day = (
        readings["event_time"].dt.tz_convert("Asia/Kolkata").dt.tz_localize(None).dt.floor("D")
    )
    expected = readings.groupby(local_day)["value"].sum() / 4
    assert [pd.Timestamp(row["local_day"]) for row in rows] == expected.index.tolist()
    assert [row["kwh"] for row in rows] == pytest.approx(expected.tolist())
