"""However readings come, what stands in the end is what scoring them all at once finds."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.anomalies.anomaly import find_anomalies
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.train import train
from usage_platform_tests.core.anomalies.streamed import (
    OTHER,
    REGISTRY,
    Stream,
    assert_same,
    batches_of,
    on_day,
)
from usage_platform_tests.core.detector.made_models import cut_forests, model, timeline_of
from usage_platform_tests.core.detector.series import DAY, HOURLY, MONDAY, library

DAYS, STREAMED = 92, 10


@pytest.fixture(scope="module")
def series():
    instants, values = library(DAYS)
    values[83 * 24 : 83 * 24 + 7] += 300
    values[85 * 24 + 12] *= 3
    values[87 * 24 + 1 : 87 * 24 + 4] = 0.0
    values[89 * 24 : 89 * 24 + 12] = 555.0
    values[91 * 24 + 3 : 91 * 24 + 6] *= 4
    return instants, values


@pytest.fixture(scope="module")
def frame(series):
    instants, values = series
    times = pd.DatetimeIndex(instants).tz_localize("UTC")
    both = [pd.DataFrame({"meter": m, "event_time": times, "value": values}) for m in ("m", "n")]
    kept = np.ones(len(instants), dtype=bool)
    kept[86 * 24 : 86 * 24 + 5] = False
    return pd.concat([both[0][kept], both[1]], ignore_index=True)


@pytest.fixture(scope="module")
def timeline(series):
    """Rules only, a detector, another one, and the blog's forests; the meters one model apart."""
    rules, first, second = (
        train(*series, HOURLY, TrainingOptions(), MONDAY + day * DAY) for day in (0, 70, 84)
    )
    narrow, wide = cut_forests(OTHER, 380, 920), cut_forests(OTHER, 377, 925)
    return timeline_of(
        model("rules", on_day(0), {"m": rules}),
        model("first", on_day(71), {"m": first, "n": narrow}),
        model("second", on_day(85), {"m": second, "n": wide}),
        model("blog", on_day(90.5), {"m": cut_forests(HOURLY, 380, 920), "n": second}),
    )


@pytest.fixture(scope="module")
def whole(frame, timeline):
    found = find_anomalies(frame, timeline, REGISTRY).anomalies
    late = found[found["event_time"] >= on_day(DAYS - STREAMED)]
    assert late.groupby("meter")["model_version"].nunique().to_dict() == {"m": 3, "n": 3}
    return found


@pytest.fixture(scope="module")
def begun(frame, timeline):
    stream = Stream(timeline)
    stream.take(frame[frame["event_time"] < on_day(DAYS - STREAMED)])
    return stream


@pytest.fixture(scope="module")
def coming(frame):
    rows = frame[frame["event_time"] >= on_day(DAYS - STREAMED)]
    return rows.sort_values(["event_time", "meter"], ignore_index=True)


@pytest.fixture(scope="module")
def at_once(frame, timeline):
    stream = Stream(timeline)
    stream.take(frame)
    return stream


positions = st.sets(st.integers(1, 2 * 24 * STREAMED - 10), max_size=6)


@settings(max_examples=10, deadline=None)
@given(cuts=positions, seed=st.integers(0, 99), live=st.integers(1, 450))
def test_batches_and_the_order_within_them_change_nothing(
    begun, coming, whole, at_once, cuts, seed, live
):
    stream = begun.copy()
    one_by_one = range(live, live + 20)
    for batch in batches_of(coming, cuts.union(one_by_one)):
        stream.take(batch.sample(frac=1, random_state=seed))
    assert_same(stream.stands(), whole)
    assert_same(pd.concat([part for part in stream.said if len(part)]), whole)
    assert sorted(e.event_id for e in stream.events) == sorted(e.event_id for e in at_once.events)


def late_and_wrong(rows, rng):
    """Readings some of which come hours late, twice, or wrong at first."""
    delays = np.where(rng.random(len(rows)) < 0.1, rng.integers(0, 72, len(rows)), 0)
    wrong = rows[rng.random(len(rows)) < 0.05]
    first = wrong.assign(value=rng.choice([0.0, 300.0, 2500.0], len(wrong)))
    again = rows[rng.random(len(rows)) < 0.05]
    arrivals = pd.concat([first, rows.assign(late=delays), again.assign(late=90)])
    order = arrivals["event_time"] + pd.to_timedelta(arrivals["late"].fillna(-1), unit="h")
    arranged = arrivals.assign(order=order).sort_values("order", kind="stable")
    return arranged[rows.columns]


@settings(max_examples=12, deadline=None)
@given(cuts=positions, seed=st.integers(0, 999))
def test_late_and_corrected_readings_lead_to_what_all_at_once_would_have_found(
    begun, coming, whole, at_once, cuts, seed
):
    stream = begun.copy()
    for batch in batches_of(late_and_wrong(coming, np.random.default_rng(seed)), cuts):
        stream.take(batch)
    assert_same(stream.stands(), whole)
    assert_same(stream.heard(), whole)
    assert stream.last_states() == at_once.last_states()
    stream.assert_ids_are_unique()


@settings(max_examples=8, deadline=None)
@given(cuts=positions, seed=st.integers(0, 999), at=st.integers(0, 3))
def test_a_memory_that_was_rebuilt_goes_on_like_one_that_was_not(begun, coming, cuts, seed, at):
    kept = other = begun.copy()
    batches = batches_of(late_and_wrong(coming, np.random.default_rng(seed)), cuts)
    for number, batch in enumerate(batches):
        if number == min(at, len(batches) - 1):
            other = kept.rebuilt()
        one = kept.take(batch)
        if other is not kept:
            two = other.take(batch)
            pd.testing.assert_frame_equal(two.anomalies, one.anomalies, check_exact=True)
            assert two.episodes == one.episodes
            assert (two.scored, two.learning) == (one.scored, one.learning)
    assert_same(other.stands(), kept.stands())


def test_readings_off_the_grid_are_judged_alike_in_any_batches(frame, timeline):
    rows = frame[frame["meter"] == "m"].iloc[:-24]
    extra = rows.iloc[-60:].assign(value=lambda r: r["value"] * 2.5)
    extra["event_time"] += pd.Timedelta(minutes=7)
    rows = pd.concat([rows, extra]).sort_values("event_time", ignore_index=True)
    stream = Stream(timeline)
    for batch in batches_of(rows, [len(rows) - n for n in (110, 75, 74, 31)]):
        stream.take(batch)
    assert_same(stream.stands(), find_anomalies(rows, timeline, REGISTRY).anomalies)


@pytest.mark.parametrize("back", [3, 25])
def test_a_correction_is_known_to_the_readings_that_come_one_by_one_after_it(
    begun, coming, timeline, back
):
    rows = coming[coming["meter"] == "m"].iloc[:150]
    wrong = rows.iloc[140 - back : 141 - back].assign(value=2500.0)
    odd = rows.iloc[140:].assign(value=rows["value"].iloc[140:] * 2.5)
    stream = begun.copy()
    for batch in [
        *batches_of(rows.iloc[:140], range(130, 140)),
        wrong,
        *batches_of(odd, range(10)),
    ]:
        stream.take(batch)
    final = pd.concat(stream.consumed).drop_duplicates(["meter", "event_time"], keep="last")
    assert_same(stream.stands(), find_anomalies(final, timeline, REGISTRY).anomalies)
