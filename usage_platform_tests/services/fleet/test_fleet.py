"""The fleet's rows on a small lake, against adding up its hours by hand."""

import math
import shutil

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.tables import ANOMALIES, USAGE_HOURLY, Lake
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.adapters.stores.reviews import ReviewStore
from usage_platform.core.feedback.reviews import Act, Review
from usage_platform.core.meters import Meter
from usage_platform_tests.conftest import table_writer
from usage_platform_tests.core.detector.made_models import cut_forests, model
from usage_platform_tests.services.fleet.three_meters import (
    END,
    GROUPS,
    HOUR_END,
    METERS,
    MONTH,
    REGISTRY,
    START,
    WEEK,
    row_of,
    write_hours,
)


def write_anomalies(lake: Lake, rows: list[tuple[str, str, str, float | None, str | None]]) -> None:
    columns = ["meter", "event_time", "episode", "excess_kwh", "status"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["event_time"] = pd.to_datetime(frame["event_time"], utc=True)
    frame["excess_kwh"] = frame["excess_kwh"].astype("float64")
    table_writer(lake, ANOMALIES, frame.assign(event_date=frame["event_time"].dt.date))


def test_the_energies_are_those_of_the_hours(lake, cache_of, readings):
    hours = write_hours(lake, readings)
    fleet = cache_of().fleet()
    assert [row.name for row in fleet.meters] == ["kitchen", "main", "planned", "pump"]
    assert fleet.hour_end == HOUR_END.value
    for name, meter in METERS.items():
        own = hours[(hours["meter"] == name) & (hours["start"] < HOUR_END)]
        row = row_of(fleet, name)
        for energy, since in ((row.week, WEEK), (row.month, MONTH)):
            kwh = math.fsum(own.loc[own["start"] >= since, "energy_kwh"])
            assert energy.kwh == pytest.approx(kwh, rel=1e-9)
            assert math.isnan(energy.expected_kwh)
        readings_of_week = own.loc[own["start"] >= WEEK, "n"].sum()
        expected = 7 * 24 * meter.readings_per_hour
        assert row.completeness == pytest.approx(readings_of_week / expected)
        assert row.newest == readings.loc[readings["meter"] == name, "event_time"].max().value
        line = own[own["start"] >= WEEK]
        at = ((line["start"] - WEEK) // pd.Timedelta(hours=1)).to_numpy()
        shown = np.full(168, np.nan)
        shown[at] = line["avg_usage"]
        np.testing.assert_allclose(row.line, shown, rtol=1e-6)
        assert (row.has_model, row.is_silent, row.open_episodes) == (False, False, 0)
    planned = row_of(fleet, "planned")
    assert (planned.newest, planned.is_silent) == (None, True)


def test_a_group_with_hours_of_its_own_is_no_meter_of_the_fleet(lake, cache_of, readings):
    registry = REGISTRY.with_groups([Meter("rest", "Europe/Rome", 60)])
    own = readings[readings["meter"] == "main"].assign(meter="rest")
    write_hours(lake, pd.concat([readings, own]))
    cache = cache_of(GROUPS)
    object.__setattr__(cache._source, "registry", lambda: registry)
    fleet = cache.fleet()
    assert fleet.groups_error == ""
    assert [row.name for row in fleet.meters] == ["kitchen", "main", "planned", "pump"]
    assert {row.group.name for row in fleet.groups if row.is_meter} == {"rest"}


def test_a_sum_counts_an_hour_only_if_each_of_its_meters_is_whole(lake, cache_of, readings):
    hours = write_hours(lake, readings)
    fleet = cache_of(GROUPS).fleet()
    assert fleet.groups_error == ""
    moved = pd.Timestamp("2024-03-10", tz="America/St_Johns")
    signs = {
        "North": {"main": 1, "kitchen": 1, "pump": 1},
        "Library": {"main": 1},
        "Depot": {"kitchen": 1, "pump": 1},
        "rest": {"main": 1, "kitchen": -1, "pump": -1},
    }
    by_hour = {
        (row["meter"], row["start"].floor("h")): row["energy_kwh"]
        for row in hours.to_dict("records")
        if row["n"] == row["expected_n"]
    }
    for row in fleet.groups:
        for found, since in ((row.week, WEEK), (row.month, MONTH)):
            clock = pd.date_range(since, HOUR_END, freq="h", inclusive="left")
            sums = []
            for at in clock:
                is_member = {"pump": at >= moved.floor("h") or row.group.name == "rest"}
                due = {m: s for m, s in signs[row.group.name].items() if is_member.get(m, True)}
                if all((meter, at) in by_hour for meter in due):
                    sums.append(math.fsum(s * by_hour[meter, at] for meter, s in due.items()))
            assert (found.hours, found.complete_hours) == (len(clock), len(sums))
            assert 0 < len(sums) < len(clock)
            assert found.kwh == pytest.approx(math.fsum(sums), rel=1e-9, abs=1e-9)
    library = fleet.groups[1]
    assert library.kwh_per_m2 == pytest.approx(library.month.kwh / 100)
    assert row_of(fleet, "main").kwh_per_m2 == row_of(fleet, "main").month.kwh / 100


def test_the_hours_of_a_day_without_any_reading_are_incomplete(lake, cache_of, readings):
    day = pd.Timestamp("2024-03-27T00:00Z")
    is_gone = readings["event_time"].between(day, day + pd.Timedelta(days=1), inclusive="left")
    whole = readings[readings["meter"] == "main"]
    write_hours(lake, whole)
    before = cache_of(GROUPS).fleet().groups[1].week
    shutil.rmtree(lake.table(USAGE_HOURLY))
    write_hours(lake, whole[~is_gone.reindex(whole.index)])
    after = cache_of(GROUPS).fleet().groups[1].week
    assert (before.hours, after.hours) == (168, 168)
    there = (is_gone & (readings["meter"] == "main")).sum()
    assert before.complete_hours - after.complete_hours == there > 0


def test_the_hour_that_is_going_on_is_in_no_energy_but_its_reading_is_the_newest(
    lake, cache_of, readings
):
    part = pd.DataFrame({"meter": ["kitchen"] * 2, "event_time": [END] * 2, "value": [9e3] * 2})
    part["event_time"] += pd.to_timedelta([0, 15], "min")
    more = part.astype({"event_time": "datetime64[ns, UTC]"})
    write_hours(lake, readings)
    before = row_of(cache_of().fleet(), "kitchen")
    write_hours(lake, more)
    after = row_of(cache_of().fleet(), "kitchen")
    assert (after.week.kwh, after.completeness) == (before.week.kwh, before.completeness)
    assert after.newest == (END + pd.Timedelta(minutes=15)).value


def test_what_is_expected_is_compared_in_the_same_hours(lake, cache_of, readings):
    hours = write_hours(lake, readings)
    store = ModelStore(LakeFiles(lake.models))
    thin = 5  # Monday 05:00 has no expected value.
    meter = METERS["main"]
    store.save(model("v1", START, {"main": cut_forests(meter, 300.0, 1000.0, thin)}))
    store.promote(["v1"])
    row = row_of(cache_of().fleet(), "main")
    own = hours[(hours["meter"] == "main") & hours["start"].between(WEEK, HOUR_END, "left")]
    local = own["start"].dt.tz_convert(meter.zone)
    known = own[~((local.dt.weekday == 0) & (local.dt.hour == thin))]
    assert len(known) == len(own) - 1
    assert row.week.compared_kwh == pytest.approx(math.fsum(known["energy_kwh"]), rel=1e-9)
    assert row.week.expected_kwh == pytest.approx(650.0 * len(known))
    assert row.has_model


def test_the_open_episodes_are_those_of_a_week_that_nobody_has_reviewed(lake, cache_of, readings):
    write_hours(lake, readings)
    late = "2024-03-30T10:00Z"
    write_anomalies(
        lake,
        [
            ("main", late, "a", 5.0, "told"),
            ("main", "2024-03-30T11:00Z", "a", 2.5, None),
            ("main", late, "b", 100.0, "withdrawn"),
            ("main", late, "c", None, "told"),
            ("main", late, "d", 40.0, "told"),
            ("main", "2024-03-24T10:00Z", "e", 70.0, "told"),
            ("pump", late, "d", -3.0, "told"),
        ],
    )
    at = pd.Timestamp("2024-03-30T12:00Z")
    ReviewStore(LakeFiles(lake.assets)).add(Review("r", at, "main", "d", Act.ACKNOWLEDGE, None, ""))
    fleet = cache_of().fleet()
    found = {row.name: (row.open_episodes, row.open_excess_kwh) for row in fleet.meters}
    assert found == {"main": (2, 7.5), "pump": (1, -3.0), "kitchen": (0, 0.0), "planned": (0, 0.0)}


def test_a_wrong_file_of_groups_is_named_and_the_meters_are_there(lake, cache_of, readings):
    write_hours(lake, readings)
    fleet = cache_of("sites: [{name: S, buildings: [{name: B, meters: [mian]}]}]").fleet()
    assert fleet.groups == ()
    assert "groups.yaml: B: meter 'mian' is unknown" in fleet.groups_error
    assert len(fleet.meters) == 4


def test_an_empty_lake_has_the_described_meters_and_no_figure(cache_of):
    fleet = cache_of(GROUPS).fleet()
    assert [row.name for row in fleet.meters] == ["kitchen", "main", "planned", "pump"]
    assert fleet.as_of is None
    assert all(math.isnan(row.week.kwh) for row in fleet.meters)
    assert [row.month.hours for row in fleet.groups] == [0, 0, 0, 0]


def test_a_month_without_a_meter_leaves_its_name_and_no_figure(lake, cache_of, readings):
    old = readings[(readings["meter"] != "pump") | (readings["event_time"] < MONTH)]
    write_hours(lake, old)
    row = row_of(cache_of().fleet(), "pump")
    assert (row.newest, row.is_silent) == (None, True)
    assert math.isnan(row.month.kwh)
