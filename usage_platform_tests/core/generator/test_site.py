"""The generated site: its meters add up, and it differs from a healthy one where it says so."""

import numpy as np
import pandas as pd
import pytest

from usage_platform.core.generator.site import generated_meters, healthy_meters
from usage_platform.core.generator.site_loads import BuildingLoads
from usage_platform.core.generator.site_plan import BUILDINGS, DAYS, PLANTED_FAULTS, site_meters
from usage_platform.core.generator.site_truth import lasting_spans

SEED = 1
LIBRARY, _, POOL = BUILDINGS


def by_name(meters):
    return {one.meter.name: one for one in meters}


@pytest.fixture(scope="module")
def faulty():
    return by_name(generated_meters(SEED, DAYS))


@pytest.fixture(scope="module")
def healthy():
    return by_name(healthy_meters(SEED, DAYS))


def daily(one, days=None):
    """Energy by UTC day, kWh; of days with all readings."""
    hours = one.meter.interval_minutes / 60
    by_day = one.frame.groupby(one.frame["ts"].dt.date)["value"].agg(["sum", "count"])
    return by_day["sum"][by_day["count"] == 24 / hours] * hours


def test_a_seed_gives_the_same_bytes_and_another_seed_others():
    first, again, other = (by_name(generated_meters(seed, 28)) for seed in (SEED, SEED, 2))
    for name, one in first.items():
        assert one.frame.equals(again[name].frame)
        assert not one.frame["value"].equals(other[name].frame["value"])


def test_the_meters_are_those_of_the_plan_the_main_meter_before_its_sub_meters(faulty, healthy):
    names = [meter.name for meter in site_meters()]
    assert [*faulty] == [*healthy] == names
    assert len(BUILDINGS) == 3
    assert all(len(one.sub_meters) == 2 for one in BUILDINGS)


@pytest.mark.parametrize("building", BUILDINGS, ids=lambda one: one.name)
def test_a_main_meter_measures_its_sub_meters_and_the_rest(healthy, building):
    rest = BuildingLoads.of(building, SEED, DAYS, planted=()).rest
    parts = [healthy[meter.name] for meter in building.sub_meters]
    known = pd.concat([daily(one) for one in (healthy[building.name], *parts)], axis=1).dropna()
    assert len(known) > 300
    left = known.iloc[:, 0] - known.iloc[:, 1:].sum(axis=1)
    assert left.mean() == pytest.approx(24 * rest.mean(), rel=0.01)
    assert left.min() > 0


def test_parts_of_a_building_have_the_weather_of_the_site_and_noise_of_their_own():
    loads = BuildingLoads.of(LIBRARY, SEED, 28, planted=())
    one, other = loads.loads["ventilation"], loads.rest
    assert np.corrcoef(one, other)[0, 1] > 0.9
    assert not np.allclose(one / one.mean(), other / other.mean(), rtol=0.01)


def test_readings_differ_from_healthy_ones_just_within_faults(faulty, healthy):
    spans = lasting_spans(DAYS)
    for name, one in faulty.items():
        same = healthy[name].frame
        assert one.frame["ts"].equals(same["ts"])
        changed = (one.frame["value"] != same["value"]).to_numpy()
        inside = np.zeros(len(changed), dtype=bool)
        labels = pd.concat([spans[spans["meter"] == name], one.faults])
        for start, end in zip(labels["start"], labels["end"], strict=True):
            inside |= ((same["ts"] >= start) & (same["ts"] < end)).to_numpy()
        assert not changed[~inside].any()


def test_every_planted_fault_changes_readings_of_its_sub_meter(faulty, healthy):
    for fault in PLANTED_FAULTS:
        name = f"{fault.building}-{fault.part}"
        assert not faulty[name].frame["value"].equals(healthy[name].frame["value"])


def test_main_meters_have_faults_for_the_detector_and_sub_meters_none(faulty):
    for one in BUILDINGS:
        assert len(faulty[one.name].faults) >= 4
        assert all(faulty[meter.name].faults.empty for meter in one.sub_meters)


def test_a_fault_of_a_sub_meter_alone_does_not_change_the_main_meter():
    faulty, healthy = (
        BuildingLoads.of(POOL, SEED, DAYS, planted=planted)
        for planted in ([one for one in PLANTED_FAULTS if one.counted < 1], ())
    )
    assert np.array_equal(faulty.total, healthy.total)
    assert faulty.measured("pumps")[-1] == pytest.approx(0.5 * healthy.measured("pumps")[-1])
