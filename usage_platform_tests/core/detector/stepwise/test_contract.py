"""The contract of the stepwise scorer: its rows are those of `score` for the series, exactly."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.score import Kind, score
from usage_platform.core.detector.stepwise.scorer import ScoredReading, StepwiseScorer
from usage_platform.core.detector.train import train
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar
from usage_platform_tests.core.detector.series import DAY, HOUR, HOURLY, NET, library

QUARTERLY = Meter("m", "America/New_York", 15)
# Zones half an hour off; the clock of the last goes half an hour forward and back.
ADELAIDE = Meter("m", "Australia/Adelaide", 30)
KOLKATA = Meter("m", "Asia/Kolkata", 60)
LORD_HOWE = Meter("m", "Australia/Lord_Howe", 15)
CALENDAR = Calendar("US", "MA")


def midnight(day, meter=HOURLY):
    return pd.Timestamp(day, tz=meter.timezone).value


SPRING, AUTUMN = midnight("2024-02-26"), midnight("2024-10-21")
"""Two weeks later the clocks change; a holiday is in the weeks before and, in autumn, after."""

LEARNED_DAYS, JUDGED_DAYS = 63, 28


def faulty(meter, until, seed):
    """A series with faults of all sorts in the judged weeks and in the context before them."""
    days = LEARNED_DAYS + JUDGED_DAYS
    instants, values = library(days, seed, until - LEARNED_DAYS * DAY, meter)
    rng = np.random.default_rng(seed)
    hour = meter.readings_per_hour
    kept = np.ones(len(instants), dtype=bool)

    def somewhere(longest):
        size = int(rng.integers(1, longest * hour + 1))
        begin = int(rng.integers((LEARNED_DAYS - 30) * 24 * hour, len(instants) - size))
        return slice(begin, begin + size)

    for _ in range(6):
        values[somewhere(1)] *= rng.uniform(1.2, 4)
        values[somewhere(8)] += rng.uniform(50, 400)
        values[somewhere(5)] *= rng.uniform(0.2, 0.8)
        values[somewhere(4)] = rng.choice([0.0, -1.0])
        values[somewhere(30)] = 555.0
        kept[somewhere(6)] = False
        kept[somewhere(60)] &= rng.random() < 0.5
    kept[rng.random(len(kept)) < 0.01] = False
    return instants[kept], values[kept]


def judged_live(model, instants, values, begin):
    live = StepwiseScorer(model, instants[:begin], values[:begin])
    pairs = zip(instants[begin:].tolist(), values[begin:].tolist(), strict=True)
    return as_frame([live.score_next(instant, value) for instant, value in pairs])


def as_frame(verdicts):
    frame = pd.DataFrame(verdicts, columns=pd.Index(ScoredReading._fields))
    ts = pd.DatetimeIndex(frame["ts"].to_numpy("datetime64[ns]")).tz_localize("UTC")
    return frame.assign(ts=ts, kind=frame["kind"].astype(object))


def assert_same(live, batch):
    pd.testing.assert_frame_equal(live, batch.reset_index(drop=True), check_exact=True)
    for name in ("z", "z_short", "z_week", "score"):
        assert np.array_equal(np.signbit(live[name]), np.signbit(batch[name]))


CASES = [
    (HOURLY, SPRING, Method.FOREST, LEARNED_DAYS),
    (HOURLY, AUTUMN, Method.ROBUST_Z, LEARNED_DAYS),
    (HOURLY, AUTUMN, Method.FOREST, 10),
    (QUARTERLY, AUTUMN, Method.FOREST, LEARNED_DAYS),
    (QUARTERLY, SPRING, Method.ROBUST_Z, LEARNED_DAYS),
    (QUARTERLY, SPRING, Method.FOREST, 10),
    (ADELAIDE, midnight("2024-03-25", ADELAIDE), Method.FOREST, LEARNED_DAYS),
    (KOLKATA, midnight("2024-02-26", KOLKATA), Method.ROBUST_Z, LEARNED_DAYS),
    (LORD_HOWE, midnight("2024-09-23", LORD_HOWE), Method.FOREST, LEARNED_DAYS),
    (NET, SPRING, Method.FOREST, LEARNED_DAYS),
    (NET, AUTUMN, Method.ROBUST_Z, 10),
]


@pytest.fixture(
    scope="module",
    params=CASES,
    ids=lambda case: (
        f"{case[0].timezone.split('/')[1]}-{case[0].interval_minutes}-{case[0].sign}-{case[2]}"
        f"-{case[3]}"
    ),
)
def trained(request):
    meter, until, method, days = request.param
    series = library(days, 0, until - days * DAY, meter)
    return train(*series, meter, TrainingOptions(CALENDAR, method), until), until


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.floats(0, 0.9))
def test_one_at_a_time_gives_the_bits_of_the_whole(trained, seed, share):
    model, until = trained
    instants, values = faulty(model.meter, until, seed)
    first = int(np.searchsorted(instants, until))
    begin = first + int(share * (len(instants) - first))
    whole = score(model, instants, values, int(instants[begin]))
    assert_same(judged_live(model, instants, values, begin), whole)


def test_the_scored_weeks_hold_clock_changes_both_ways_and_zones_half_an_hour_off():
    changes, halves = set(), set()
    for meter, until, _, _ in CASES:
        ends = pd.DatetimeIndex([until, until + JUDGED_DAYS * DAY]).tz_localize("UTC")
        begin, end = (at.tz_convert(meter.zone).utcoffset().total_seconds() / 3600 for at in ends)
        changes.add(end - begin)
        halves |= {meter.timezone} if begin % 1 == 0.5 else set()
    assert changes == {-1.0, 0.0, 1.0, 0.5}
    assert halves == {"Australia/Adelaide", "Asia/Kolkata", "Australia/Lord_Howe"}


gaps = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 50 * 24)), max_size=3)


@settings(max_examples=4, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    cuts=st.lists(st.floats(0, 0.99), min_size=1, max_size=3),
    gaps=gaps,
)
# The context of the first readings begins in the gap, a few readings before them.
@example(seed=0, cuts=[0.0], gaps=[(0.0, 1), (0.0, 1015)])
# A run of equal readings goes on behind a gap, and its first ones lie before the context.
@example(seed=44096, cuts=[0.0], gaps=[(0.0, 1), (0.0, 831)])
def test_begun_at_any_cut_and_over_gaps_it_gives_the_rows_of_the_whole(trained, seed, cuts, gaps):
    model, until = trained
    instants, values = faulty(model.meter, until, seed)
    first = int(np.searchsorted(instants, until))
    for share, hours in gaps:
        instants[first + int(share * (len(instants) - first)) :] += hours * HOUR
    begins = sorted({first + int(cut * (len(instants) - first)) for cut in cuts})
    whole = score(model, instants, values, int(instants[begins[0]]))
    for begin, end in zip(begins, [*begins[1:], len(instants)], strict=True):
        part = whole.iloc[begin - begins[0] : end - begins[0]]
        assert_same(judged_live(model, instants[:end], values[:end], begin), part)


def test_the_faults_of_the_property_test_show_every_kind():
    meter, until, method, days = CASES[0]
    model = train(
        *library(days, 0, until - days * DAY, meter),
        meter,
        TrainingOptions(CALENDAR, method),
        until,
    )
    kinds = set()
    for seed in range(3):
        kinds |= set(score(model, *faulty(meter, until, seed), until)["kind"])
    assert kinds == set(Kind) - {Kind.GROSS}


def test_a_series_is_judged_from_its_second_reading_on(trained):
    model, until = trained
    instants, values = faulty(model.meter, until, 7)
    late = instants >= until
    instants, values = instants[late][:200], values[late][:200]
    values[: 3 * model.meter.readings_per_hour] *= 0.3
    whole = score(model, instants, values, int(instants[1]))
    assert_same(judged_live(model, instants, values, 1), whole)


@pytest.mark.parametrize("gap_days", [3, 34, 90])
def test_gaps_of_any_length_are_stepped_over(trained, gap_days):
    model, until = trained
    instants, values = faulty(model.meter, until, 8)
    begin, end = (int(np.searchsorted(instants, until + day * DAY)) for day in (2, 12))
    moved = np.concatenate([instants[:begin], instants[begin:end] + gap_days * DAY])
    whole = score(model, moved, values[:end], int(moved[begin - 5]))
    assert_same(judged_live(model, moved, values[:end], begin - 5), whole)


def test_a_scorer_begun_amid_a_fault_goes_on_as_if_it_had_seen_it_begin(trained):
    model, until = trained
    instants, values = library(43, 6, until - 35 * DAY, model.meter)
    hour = model.meter.readings_per_hour
    fault = len(values) - 5 * 24 * hour
    values[fault : fault + 6 * hour] += np.linspace(300, 60, 6 * hour)
    whole = score(model, instants, values, int(instants[fault]))
    for after in range(1, 8 * hour, 3):
        stop = fault + after + hour
        live = judged_live(model, instants[:stop], values[:stop], fault + after)
        assert_same(live, whole.iloc[after : after + hour])


def offset(instants, meter):
    """How far the local clock is ahead of UTC, ns."""
    utc = pd.DatetimeIndex(instants).tz_localize("UTC")
    return utc.tz_convert(meter.zone).tz_localize(None).asi8 - instants


def test_of_the_hour_that_comes_twice_the_second_counts_even_if_nothing_came(trained):
    model, until = trained
    instants, values = faulty(model.meter, until, 5)
    second = offset(instants, model.meter) < offset(instants - HOUR, model.meter)
    instants, values = instants[~second], values[~second]
    begin = int(np.searchsorted(instants, until))
    whole = score(model, instants, values, int(instants[begin]))
    assert_same(judged_live(model, instants, values, begin), whole)


def test_an_instant_within_an_interval_counts_for_the_interval(trained):
    model, until = trained
    instants, values = library(50, 9, until - 35 * DAY, model.meter)
    instants = instants + HOUR // 10
    begin = len(instants) - 100
    whole = score(model, instants, values, int(instants[begin]))
    assert_same(judged_live(model, instants, values, begin), whole)
