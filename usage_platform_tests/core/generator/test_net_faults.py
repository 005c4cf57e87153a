"""The generated net meter crosses zero, and its faults change what their labels say."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from usage_platform.core.generator.building import BuildingProfile, building_load
from usage_platform.core.generator.faults import inject_faults
from usage_platform.core.generator.net_faults import NET_KINDS, net_proposals
from usage_platform.core.generator.solar import SolarArray, generation, net_readings
from usage_platform.core.measurement import Sign
from usage_platform.core.meters import Meter
from usage_platform.core.time.units import NS_A_DAY, instants_of

METER = Meter("net", interval_minutes=15, sign=Sign.NET)
START = date(2024, 2, 1)
STEP_KW = BuildingProfile().step_kw
MINUTES = {
    "inverter_outage": (120, 480),
    "string_outage": (120, 480),
    "sign_flip": (60, 720),
    "stuck": (120, 900),
    "zero": (30, 120),
    "spike": (15, 30),
    "night_load": (360, 480),
}


def net_of(days: int, seed: int = 1):
    rng = np.random.default_rng(seed)
    return net_readings(METER, START, days, BuildingProfile(), SolarArray(), rng)


@pytest.fixture(scope="module")
def clean():
    return net_of(200)


def injected(clean, **options):
    return inject_faults(
        clean.frame,
        METER,
        np.random.default_rng(3),
        step_kw=STEP_KW,
        proposals=net_proposals(clean),
        **options,
    )


def test_a_net_meter_imports_at_night_and_exports_on_bright_days(clean):
    value, local = clean.frame["value"], clean.frame["ts"].dt.tz_convert(METER.zone)
    assert (value[local.dt.hour < 4] > 0).all()
    assert 0.05 < (value < 0).mean() < 0.5
    crossings = np.count_nonzero(np.diff(np.sign(value)))
    assert crossings > 200


def test_a_net_meter_shows_load_minus_generation_to_its_resolution(clean):
    difference = clean.frame["value"] - (clean.load - clean.generated)
    assert np.abs(difference).max() <= STEP_KW / 2 + 1e-6
    of_steps = clean.frame["value"] / STEP_KW
    assert np.abs(of_steps - of_steps.round()).max() < 1e-6


def test_the_load_behind_a_net_meter_is_that_of_a_building():
    load_rng, _ = np.random.default_rng(1).spawn(2)
    alone = building_load(METER, START, 3, BuildingProfile(), load_rng)
    assert net_of(3).load.tolist() == alone["value"].tolist()


@pytest.mark.parametrize("longitude", [-71.08, 0.0, 77.2, 151.2])
def test_the_sun_is_highest_at_solar_noon_and_the_night_is_dark(longitude):
    instants = np.arange(0, 30 * NS_A_DAY, NS_A_DAY // 96) + 19_800 * NS_A_DAY
    power = generation(instants, SolarArray(longitude=longitude), np.random.default_rng(0))
    solar_hour = ((instants / NS_A_DAY + longitude / 360) % 1) * 24
    assert power.min() == 0
    assert power[(solar_hour < 5) | (solar_hour > 19)].max() == 0
    by_hour = pd.Series(power).groupby(solar_hour.astype(int)).mean()
    assert by_hour.idxmax() in (11, 12)
    assert power.max() <= SolarArray().peak_kw * 1.1


@pytest.mark.parametrize("kind", NET_KINDS)
def test_a_kind_changes_the_readings_within_its_labels_and_no_other(clean, kind):
    faulty, faults = injected(clean, kinds=[kind])
    assert len(faults) >= 3
    assert set(faults["kind"]) == {kind}
    changed = (faulty["value"] != clean.frame["value"]).to_numpy()
    instants = instants_of(clean.frame.loc[:, "ts"])
    inside = np.zeros(len(changed), dtype=bool)
    for fault in faults.itertuples():
        within = (instants >= fault.start.value) & (instants < fault.end.value)
        assert changed[within].mean() >= (0.5 if kind == "stuck" else 1.0)
        inside |= within
    assert not changed[~inside].any()
    minutes = (faults["end"] - faults["start"]) / pd.Timedelta(minutes=1)
    assert minutes.between(*MINUTES[kind]).all()


def parts_within(clean, kind):
    """The faulty and the clean values, the load and the generation, within faults of a kind."""
    faulty, faults = injected(clean, kinds=[kind])
    instants = instants_of(clean.frame.loc[:, "ts"])
    for fault in faults.itertuples():
        at = (instants >= fault.start.value) & (instants < fault.end.value)
        yield faulty["value"][at], clean.frame["value"][at], clean.load[at], clean.generated[at]


def test_without_its_inverter_the_meter_shows_the_load_alone(clean):
    for faulty, _, load, _ in parts_within(clean, "inverter_outage"):
        assert np.abs(faulty - load).max() <= STEP_KW


def test_a_lost_string_takes_the_same_share_of_the_generation_all_the_time(clean):
    for faulty, before, _, generated in parts_within(clean, "string_outage"):
        shares = (faulty - before) / generated
        assert shares.between(0.25, 0.65).all()


def test_a_reversed_sign_turns_import_into_export(clean):
    for faulty, before, _, _ in parts_within(clean, "sign_flip"):
        assert faulty.tolist() == (-before).tolist()


def test_all_kinds_take_turns(clean):
    _, faults = injected(clean, per_week=2.0)
    counts = faults["kind"].value_counts()
    assert set(counts.index) == set(NET_KINDS)
    assert counts.max() - counts.min() <= 1


def test_a_kind_of_buildings_is_none_of_net_meters(clean):
    with pytest.raises(ValueError, match=r"expected kinds of inverter_outage, .*got late_start"):
        injected(clean, kinds=["late_start"])
