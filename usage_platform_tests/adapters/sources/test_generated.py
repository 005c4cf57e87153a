from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.adapters.sources.generated import GeneratedSource
from usage_platform.core.generator.fault_kinds import SHORT_KINDS
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import SourceError

LIBRARY, ANNEX, DEPOT = Meter(), Meter("annex"), Meter("depot", interval_minutes=15)
START = date(2024, 3, 1)


def silent(done: int, total: int | None) -> None:
    """No one listens."""


def load(*meters, days=14, seed=7, **options):
    return GeneratedSource(meters or (LIBRARY,), START, days, seed, **options).load(silent)


def of_meter(loaded, meter):
    frame, faults = (t[t["meter"] == meter.name] for t in (loaded.frame, loaded.faults))
    return frame.reset_index(drop=True), faults.reset_index(drop=True)


def test_a_seed_gives_the_same_bytes_and_another_seed_others():
    first, again, other = (load(LIBRARY, ANNEX, seed=seed) for seed in (7, 7, 8))
    assert first.frame.equals(again.frame)
    assert first.faults.equals(again.faults)
    assert not first.frame["value"].equals(other.frame["value"])


def test_readings_come_by_time_and_then_meter_each_once():
    loaded = load(LIBRARY, ANNEX, DEPOT)
    frame = loaded.frame
    assert frame.columns.tolist() == ["meter", "ts", "value"]
    assert frame.dtypes.astype(str).tolist() == ["object", "datetime64[ns, UTC]", "float64"]
    assert frame.equals(frame.sort_values(["ts", "meter"], ignore_index=True))
    assert not frame.duplicated(["meter", "ts"]).any()
    assert (loaded.meters, loaded.bad_rows, loaded.repeated_rows) == (
        (LIBRARY, ANNEX, DEPOT),
        (),
        0,
    )


def test_a_meter_does_not_depend_on_the_meters_beside_it():
    alone, beside = load(LIBRARY, ANNEX), load(LIBRARY, DEPOT, ANNEX)
    for meter in (LIBRARY, ANNEX):
        for one, other in zip(of_meter(alone, meter), of_meter(beside, meter), strict=True):
            assert one.equals(other)


def test_further_meters_are_smaller_buildings_of_their_own():
    loaded = load(LIBRARY, ANNEX, DEPOT, days=28, faults_per_week=0)
    means = loaded.frame.groupby("meter")["value"].mean()
    assert means[["annex", "depot"]].max() < means[LIBRARY.name]
    assert means["annex"] != pytest.approx(means["depot"], rel=0.01)
    assert len(of_meter(loaded, DEPOT)[0]) == pytest.approx(28 * 96, abs=300)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    days=st.integers(1, 80),
    more=st.integers(1, 60),
    rate=st.sampled_from([0.0, 0.5, 1.2, 5.0]),
)
def test_a_longer_span_begins_with_the_shorter_one(seed, days, more, rate):
    short = load(days=days, seed=seed, faults_per_week=rate)
    long = load(days=days + more, seed=seed, faults_per_week=rate)
    assert short.frame.equals(long.frame.iloc[: len(short.frame)])
    end = short.frame["ts"].max() + pd.Timedelta(minutes=5)
    begun = long.faults[long.faults["start"] < end].head(len(short.faults))
    assert short.faults.drop(columns="end").equals(begun.drop(columns="end"))
    assert (short.faults["end"] <= begun["end"]).all()


@pytest.mark.parametrize("seed", range(5))
def test_readings_differ_from_faultless_ones_just_within_the_labels(seed):
    faulty, clean = load(days=84, seed=seed), load(days=84, seed=seed, faults_per_week=0)
    assert clean.faults.empty
    assert faulty.frame["ts"].equals(clean.frame["ts"])
    changed = (faulty.frame["value"] != clean.frame["value"]).to_numpy()
    inside = np.zeros(len(changed), dtype=bool)
    for fault in faulty.faults.itertuples():
        ts = faulty.frame["ts"]
        within = ((ts >= fault.start) & (ts < fault.end)).to_numpy()
        assert changed[within].any()
        inside |= within
    assert not changed[~inside].any()


def test_the_first_days_can_be_kept_free_of_faults():
    loaded = load(days=60, faults_from_day=28)
    first = pd.Timestamp("2024-03-29", tz=LIBRARY.timezone)
    assert len(loaded.faults) > 0
    assert (loaded.faults["start"] >= first).all()


def test_only_the_kinds_asked_for_occur():
    assert set(load(days=90, kinds=SHORT_KINDS).faults["kind"]) == set(SHORT_KINDS)


def test_progress_ends_with_all_rows_done():
    calls: list[tuple[int, int | None]] = []
    loaded = GeneratedSource((LIBRARY, ANNEX), START, 3, 1).load(lambda *call: calls.append(call))
    assert len(calls) == 3
    assert calls[-1] == (len(loaded.frame), len(loaded.frame))
    assert calls == sorted(calls, key=lambda call: call[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"meters": ()}, "meters: expected one or more"),
        ({"meters": (LIBRARY, LIBRARY)}, "each name once"),
        ({"days": 0}, "days: expected 1 or more, got 0"),
        ({"seed": -1}, "seed: expected 0 or more, got -1"),
        ({"faults_per_week": 0.001}, "faults per week: expected 0, or 0.02"),
        ({"faults_per_week": float("nan")}, "faults per week"),
        ({"faults_from_day": -1}, "faults from day"),
        ({"kinds": ("flood",)}, "kinds: expected some of spike"),
    ],
)
def test_an_argument_that_cannot_be_used_is_named_in_one_line(changes, message):
    arguments = {"meters": (LIBRARY,), "start": START, "days": 7, "seed": 1} | changes
    with pytest.raises(SourceError, match=message):
        GeneratedSource(**arguments)
