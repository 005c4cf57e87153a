from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.detector.baseline.slot_forests import (
    MIN_COMPARABLES,
    NOT_SCORED,
    SEED,
    TREES,
    SlotForests,
    train_slot_forests,
)
from usage_platform.core.detector.baseline.slots import slots_of
from usage_platform.core.detector.baseline.step_function import MAX_SAMPLES, fit_step_function
from usage_platform.core.meters import Meter

METER = Meter("m", "America/New_York", 60)
MONDAY = pd.Timestamp("2024-01-01T05:00:00Z")
PAST = {0: 8, 3: 1, 50: MIN_COMPARABLES - 1, 51: MIN_COMPARABLES, 52: 12, 167: 9}
"""Slots with a history, and how many weeks of it."""


def at(slots, week=20):
    # Summer by then: the same local time is an hour earlier in UTC.
    local = MONDAY.tz_convert(METER.zone).tz_localize(None)
    clock = pd.Series([local + pd.Timedelta(weeks=week, hours=int(slot)) for slot in slots])
    clock = clock.astype("datetime64[ns]")
    return clock.dt.tz_localize(METER.timezone).dt.tz_convert("UTC")


def history_of(past):
    rng = np.random.default_rng(1)
    parts = [
        pd.DataFrame({"event_time": at([slot], week), "value": [round(rng.normal(900, 80), 1)]})
        for slot, weeks in past.items()
        for week in range(weeks)
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def history():
    return history_of(PAST)


@pytest.fixture(scope="module")
def forests(history):
    return train_slot_forests(history, METER, lambda done, of: None)


@pytest.fixture(scope="module")
def steps(history):
    """The step function of each slot that has one, fitted by itself."""
    by_slot = history.groupby(slots_of(history["event_time"], METER))["value"]
    return {
        slot: fit_step_function(values.to_numpy(), TREES, SEED)
        for slot, values in by_slot
        if len(values) >= MIN_COMPARABLES
    }


def test_a_slot_is_trained_from_the_fourth_comparable_on(forests):
    assert np.flatnonzero(forests.trained).tolist() == [0, 51, 52, 167]
    assert {s: int(n) for s, n in enumerate(forests.comparables) if n} == PAST


def test_the_expected_range_is_that_of_the_comparables(forests, history):
    values = history.loc[slots_of(history["event_time"], METER) == 52, "value"]
    assert (forests.low[52], forests.high[52]) == (values.min(), values.max())
    assert np.isnan(forests.low[~forests.trained]).all()
    assert np.isnan(forests.high[~forests.trained]).all()


asked = st.lists(
    st.tuples(st.sampled_from([*PAST, 1, 100, 166]), st.floats(0, 2_000)), min_size=1, max_size=20
)


@settings(max_examples=60, deadline=None)
@given(asked, st.integers(0, 20), st.data())
def test_a_batch_of_many_slots_scores_as_each_slots_own_function(forests, steps, asked, cut, data):
    slots, values = zip(*asked, strict=True)
    on_a_cut = data.draw(st.lists(st.sampled_from(forests.cuts[:-1].tolist()), max_size=3))
    values = np.array([*values, *(cut for cut in on_a_cut if np.isfinite(cut))])
    slots = [*slots, *[52] * (len(values) - len(slots))]
    times = at(slots)
    scored = forests.score(times, values)
    expected = [
        steps[slot](values[[i]])[0] if slot in steps else NOT_SCORED for i, slot in enumerate(slots)
    ]
    assert scored["score"].tolist() == expected
    parts = [
        forests.score(times.iloc[part], values[part]) for part in (slice(cut), slice(cut, None))
    ]
    pd.testing.assert_frame_equal(pd.concat(parts), scored)


def test_a_thin_slot_is_not_scored_and_expects_nothing(forests):
    scored = forests.score(at([3, 50, 1]), np.array([0.0, 900.0, 1e8]))
    assert scored["score"].tolist() == [NOT_SCORED] * 3
    assert scored["expected_low"].isna().all()


def test_scores_keep_the_index_of_the_readings(forests):
    times = at([0, 3, 52]).set_axis([7, 5, 9])
    assert forests.score(times, np.ones(3)).index.tolist() == [7, 5, 9]


def test_no_readings_give_no_scores(forests):
    scored = forests.score(at([]), np.empty(0))
    assert scored.columns.tolist() == ["score", "expected_low", "expected_high"]
    assert scored.empty


def test_a_meter_without_history_scores_nothing():
    forests = train_slot_forests(history_of({3: 1}), METER, lambda done, of: None)
    assert not forests.trained.any()
    assert forests.score(at([0, 3, 167]), np.ones(3))["score"].eq(NOT_SCORED).all()


def test_the_order_of_the_history_does_not_matter(forests, history):
    shuffled = history.sample(frac=1, random_state=1)
    again = train_slot_forests(shuffled, METER, lambda done, of: None)
    for part in ("comparables", "low", "high", "starts", "cuts", "scores"):
        assert getattr(again, part).tobytes() == getattr(forests, part).tobytes()


def test_only_the_values_that_the_forest_saw_are_its_comparables():
    # The oldest value, an outlier, is one more than a forest takes.
    extra = MAX_SAMPLES + 1
    values = np.r_[1e6, np.random.default_rng(2).normal(900, 80, extra - 1)]
    old = pd.DataFrame(
        {"event_time": pd.concat([at([5], w) for w in range(extra)]), "value": values}
    )
    shuffled = old.sample(frac=1, random_state=1)
    forests = train_slot_forests(shuffled, METER, lambda done, of: None)
    assert forests.comparables[5] == MAX_SAMPLES
    assert forests.high[5] == values[1:].max()


@pytest.mark.parametrize("minutes", [5, 15, 60])
def test_progress_rises_and_ends_with_the_last_slot(minutes):
    told = []
    meter = Meter(interval_minutes=minutes)
    train_slot_forests(history_of({3: 1}), meter, lambda done, of: told.append((done, of)))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] == 7 * 24 * meter.readings_per_hour


def by_hand(cuts, scores):
    """Forests that have the same steps in every slot."""
    slots = 168
    return SlotForests(
        meter=METER,
        comparables=np.full(slots, 9),
        low=np.zeros(slots),
        high=np.ones(slots),
        starts=np.arange(slots + 1) * len(cuts),
        cuts=np.tile(cuts, slots),
        scores=np.tile(scores, slots),
    )


def test_a_value_on_a_cut_lies_in_the_step_that_ends_there():
    forests = by_hand([1.0, 2.0, np.inf], [0.7, 0.4, 0.8])
    values = np.array([-5.0, 1.0, 1.5, 2.0, 2.5])
    scores = forests.score(at([0, 3, 166, 167, 167]), values)["score"]
    assert scores.tolist() == [0.7, 0.7, 0.4, 0.4, 0.8]


def test_the_hour_that_comes_twice_is_scored_in_one_slot():
    times = pd.Series(pd.to_datetime(["2024-11-03T05:00Z", "2024-11-03T06:00Z"]))
    forests = by_hand([np.inf], [0.5])
    forests = replace(forests, scores=np.arange(168) / 168)
    assert forests.score(times, np.ones(2))["score"].tolist() == [(6 * 24 + 1) / 168] * 2
