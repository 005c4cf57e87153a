from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.generator.building import BuildingProfile, building_load
from usage_platform.core.generator.fault_kinds import ALL_KINDS, SHORT_KINDS
from usage_platform.core.generator.faults import inject_faults
from usage_platform.core.meters import Meter

LIBRARY = Meter()
START = date(2024, 2, 1)
PARTLY = {"stuck", "slow_drift"}
MINUTES = {
    "spike": (5, 15),
    "surge": (30, 360),
    "drop": (15, 180),
    "zero": (10, 60),
    "stuck": (120, 900),
    "night_load": (180, 960),
    "late_start": (45, 180),
    "weekend_load": (180, 600),
    "level_shift": (480, 1440),
    "slow_drift": (14 * 1440, 28 * 1440),
}


def readings(days: int, seed: int = 1) -> pd.DataFrame:
    return building_load(LIBRARY, START, days, BuildingProfile(), np.random.default_rng(seed))


def inject(frame, seed=1, **options):
    return inject_faults(frame, LIBRARY, np.random.default_rng(seed), **options)


def covered(frame, fault) -> np.ndarray:
    return ((frame["ts"] >= fault.start) & (frame["ts"] < fault.end)).to_numpy()


@pytest.fixture(scope="module")
def clean():
    return readings(180)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_a_kind_changes_the_readings_within_its_labels_and_no_other(clean, kind):
    faulty, faults = inject(clean, kinds=[kind])
    assert len(faults) >= 3
    assert set(faults["kind"]) == {kind}
    changed = (faulty["value"] != clean["value"]).to_numpy()
    inside = np.zeros(len(clean), dtype=bool)
    for fault in faults.itertuples():
        within = covered(clean, fault)
        assert changed[within].mean() >= (0.5 if kind in PARTLY else 1.0)
        inside |= within
    assert not changed[~inside].any()
    assert faulty["ts"].equals(clean["ts"])


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_a_kind_lasts_as_long_as_it_should(clean, kind):
    _, faults = inject(clean, kinds=[kind])
    minutes = (faults["end"] - faults["start"]) / pd.Timedelta(minutes=1)
    shortest, longest = MINUTES[kind]
    assert minutes.between(shortest, longest).all()


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("spike", 1.25, 1.6),
        ("surge", 1.15, 1.35),
        ("drop", 0.4, 0.75),
        ("zero", 0.0, 0.0),
        ("level_shift", 0.82, 1.18),
    ],
)
def test_a_scaled_kind_keeps_its_range_and_says_its_share(clean, kind, low, high):
    faulty, faults = inject(clean, kinds=[kind])
    for fault in faults.itertuples():
        within = covered(clean, fault)
        before, after = clean["value"][within], faulty["value"][within]
        share = 1 + float(fault.detail.removesuffix(" %")) / 100
        assert low <= share <= high
        assert (after - before * share).abs().max() <= 3.7  # half a step
        assert abs(share - 1) >= 0.08


def test_a_stuck_meter_repeats_the_reading_before_it(clean):
    faulty, faults = inject(clean, kinds=["stuck"])
    for fault in faults.itertuples():
        within = np.flatnonzero(covered(clean, fault))
        assert faulty["value"].iloc[within].unique().tolist() == [
            clean["value"].iloc[within[0] - 1]
        ]


def test_a_night_load_lasts_from_closing_to_the_next_start(clean):
    _, faults = inject(clean, kinds=["night_load"])
    start, end = (faults[c].dt.tz_convert(LIBRARY.timezone) for c in ("start", "end"))
    assert set(start.dt.strftime("%H:%M")) == {"22:00"}
    assert set(end.dt.strftime("%H:%M")) <= {"05:30", "06:30"}


def test_a_late_start_begins_when_the_plant_should_and_stays_at_night_level(clean):
    faulty, faults = inject(clean, kinds=["late_start"])
    local = faults["start"].dt.tz_convert(LIBRARY.timezone)
    assert set(local.dt.strftime("%H:%M")) <= {"05:30", "06:30", "09:30"}
    for fault in faults.itertuples():
        assert faulty["value"][covered(clean, fault)].max() < 560


def test_a_weekend_load_falls_on_a_weekend_and_is_a_weekdays(clean):
    faulty, faults = inject(clean, kinds=["weekend_load"])
    assert set(faults["start"].dt.tz_convert(LIBRARY.timezone).dt.weekday) <= {5, 6}
    for fault in faults.itertuples():
        within = covered(clean, fault)
        assert (faulty["value"][within] >= 1.15 * clean["value"][within]).all()


def test_a_slow_drift_grows_over_weeks(clean):
    faulty, faults = inject(clean, kinds=["slow_drift"])
    within = covered(clean, next(faults.itertuples()))
    growth = (faulty["value"] / clean["value"] - 1)[within].to_numpy()
    first, middle, last = (part.mean() for part in np.array_split(growth, 3))
    assert 0 < first < middle < last <= 0.26


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), per_week=st.floats(0.3, 12))
def test_faults_keep_apart_keep_the_step_and_never_go_negative(seed, per_week):
    clean = readings(60, seed % 5)
    faulty, faults = inject(clean, seed, per_week=per_week)
    pauses = faults["start"].to_numpy()[1:] - faults["end"].to_numpy()[:-1]
    assert (pauses >= np.timedelta64(12, "h")).all()
    values = faulty["value"].to_numpy()
    assert (values >= 0).all()
    assert np.array_equal(values, np.round(np.rint(values / 7.2) * 7.2, 1))
    assert faults["end"].le(clean["ts"].iloc[-1] + pd.Timedelta(minutes=5)).all()


def test_the_kinds_take_turns(clean):
    _, faults = inject(clean, kinds=SHORT_KINDS)
    counts = faults["kind"].value_counts().reindex(SHORT_KINDS, fill_value=0)
    assert counts.min() >= 1
    assert counts.max() - counts.min() <= 1
    assert len(faults) / (180 / 7) == pytest.approx(1.2, abs=0.1)


def test_no_fault_covers_a_gap():
    clean = readings(28)
    hourly_holes = clean[clean["ts"].dt.minute != 0].reset_index(drop=True)
    _, faults = inject(hourly_holes, per_week=10, kinds=["surge", "stuck", "spike"])
    assert set(faults["kind"]) <= {"spike", "surge"}
    for fault in faults.itertuples():
        expected = (fault.end - fault.start) // pd.Timedelta(minutes=5)
        assert covered(hourly_holes, fault).sum() == expected > 0


def test_no_fault_comes_before_the_instant_asked_for(clean):
    from_ = pd.Timestamp("2024-04-01 04:02", tz="UTC")
    _, faults = inject(clean, from_=from_)
    assert faults["start"].min() >= from_
    assert (faults["start"].dt.minute % 5 == 0).all()


def test_a_rate_of_zero_and_an_empty_frame_give_no_faults_with_the_right_columns(clean):
    for frame, rate in ((clean, 0.0), (clean.iloc[:0], 1.2)):
        faulty, faults = inject(frame, per_week=rate)
        assert faulty.equals(frame)
        assert faults.empty
        assert faults.dtypes.astype(str).tolist() == [
            "object",
            "object",
            "datetime64[ns, UTC]",
            "datetime64[ns, UTC]",
            "object",
        ]


def test_the_clean_readings_stay_as_they_were(clean):
    before = clean.copy()
    inject(clean)
    assert clean.equals(before)


def test_a_seed_gives_the_same_faults_and_another_seed_others(clean):
    first, again, other = (inject(clean, seed)[1] for seed in (5, 5, 6))
    assert first.equals(again)
    assert not first.equals(other)


def test_a_building_that_never_closes_gets_no_fault_that_needs_a_night():
    flat = replace(BuildingProfile(), open_kw=0.0, cooling_kw=0.0)
    clean = building_load(LIBRARY, START, 60, flat, np.random.default_rng(1))
    _, faults = inject(clean)
    assert set(faults["kind"]) == set(ALL_KINDS) - {"night_load", "late_start", "weekend_load"}


def test_an_unknown_kind_or_a_negative_rate_is_refused(clean):
    with pytest.raises(ValueError, match="got flood"):
        inject(clean, kinds=["flood"])
    with pytest.raises(ValueError, match="got -1"):
        inject(clean, per_week=-1)
