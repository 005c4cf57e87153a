import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.score import CONTEXT_NS, Kind, score
from usage_platform.core.detector.train import train
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar
from usage_platform_tests.core.detector.series import (
    DAY,
    HOUR,
    HOURLY,
    MONDAY,
    library,
)

UNTIL = MONDAY + 84 * DAY


@pytest.fixture(scope="module")
def series():
    instants, values = library(98)
    # Faults of all sorts after training, so that every branch has something to do.
    values[87 * 24 + 12] *= 3
    values[85 * 24 : 85 * 24 + 20] += 300
    values[88 * 24 + 5] = 0.0
    values[90 * 24 : 90 * 24 + 15] = 555.0
    kept = np.ones(len(instants), dtype=bool)
    kept[86 * 24 : 86 * 24 + 7] = False
    return instants[kept], values[kept]


@pytest.fixture(scope="module", params=[Method.FOREST, Method.ROBUST_Z])
def model(request, series):
    return train(*series, HOURLY, TrainingOptions(method=request.param), UNTIL)


@pytest.fixture(scope="module")
def whole(model, series):
    return score(model, *series, UNTIL)


def test_every_kind_of_fault_is_found_and_named(whole):
    kinds = set(whole["kind"]) - {Kind.NONE}
    assert {Kind.ZERO, Kind.FLATLINE, Kind.SPIKE, Kind.NIGHT_LOAD} <= kinds
    assert whole["flagged"].equals(whole["kind"] != Kind.NONE)


def test_a_clean_week_has_no_alarm(whole):
    late = whole["ts"] >= pd.Timestamp(MONDAY + 92 * DAY, tz="UTC")
    assert not whole.loc[late, "flagged"].any()


def test_what_lies_between_low_and_high_is_flagged_by_rules_only(whole):
    inside = whole["value"].between(whole["low"], whole["high"])
    assert set(whole.loc[inside, "kind"]) <= {Kind.NONE, Kind.FLATLINE, Kind.ZERO}


@settings(max_examples=15, deadline=None)
@given(cuts=st.sets(st.integers(1, 14 * 24 - 10), max_size=4), context=st.integers(0, 3))
def test_batches_and_more_context_change_no_bit(model, series, whole, cuts, context):
    instants, values = series
    first = int(np.searchsorted(instants, UNTIL))
    ends = [first + cut for cut in sorted(cuts)] + [len(instants)]
    parts, begin = [], first
    for end in ends:
        start = int(instants[begin])
        known = instants[:end] >= start - CONTEXT_NS - context * 5 * DAY
        parts.append(score(model, instants[:end][known], values[:end][known], start))
        begin = end
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole, check_exact=True)


def test_the_score_keeps_growing_with_the_deviation(model, series):
    instants, values = series
    scores = []
    for factor in (2, 4, 8, 16):
        changed = values.copy()
        changed[-10] *= factor
        scores.append(score(model, instants, changed, UNTIL)["score"].iloc[-10])
    assert scores == sorted(set(scores))


@pytest.mark.parametrize(("day", "hours"), [("2024-03-10", 23), ("2024-11-03", 25)])
def test_the_days_on_which_the_clocks_change_are_normal_days(day, hours):
    start = pd.Timestamp(day, tz=HOURLY.timezone)
    begin = (start - pd.Timedelta(days=84)).value
    instants, values = library(100, start=begin)
    model = train(instants, values, HOURLY, TrainingOptions(), start.value)
    judged = score(model, instants, values, start.value)
    of_day = judged[judged["ts"] < start + pd.Timedelta(hours=hours)]
    assert len(of_day) == hours
    assert not of_day["flagged"].any()


def test_a_holiday_is_expected_to_be_like_a_sunday():
    start = pd.Timestamp("2024-07-04", tz=HOURLY.timezone)
    instants, values = library(90, start=(start - pd.Timedelta(days=80)).value)
    of_day = (instants >= start.value) & (instants < start.value + DAY)
    sunday = instants[of_day] - 4 * DAY
    values[of_day] = values[np.searchsorted(instants, sunday)]
    flagged = {}
    for calendar in (Calendar("US"), Calendar()):
        model = train(instants, values, HOURLY, TrainingOptions(calendar), start.value)
        judged = score(model, instants, values, start.value)
        flagged[calendar] = judged["flagged"].iloc[:24].sum()
    assert flagged[Calendar("US")] == 0
    assert flagged[Calendar()] >= 6


def test_while_learning_only_rules_judge():
    instants, values = library(10)
    values[-1] = 9000.0
    values[-2] = 0.0
    model = train(instants, values, HOURLY, TrainingOptions(), MONDAY + 7 * DAY)
    judged = score(model, instants, values, MONDAY + 7 * DAY)
    assert judged["learning"].all()
    assert judged["expected"].isna().all()
    assert judged["kind"].tolist()[-3:] == [Kind.NONE, Kind.ZERO, Kind.GROSS]


def test_nothing_to_judge_gives_no_row(model, series):
    assert len(score(model, *series, int(series[0][-1]) + HOUR)) == 0


def test_a_quarter_hour_meter_is_judged_too():
    meter = Meter("m", "America/New_York", 15)
    instants, values = library(70, meter=meter)
    until = MONDAY + 63 * DAY
    model = train(instants, values, meter, TrainingOptions(), until)
    values[-50] *= 2
    judged = score(model, instants, values, until)
    assert np.flatnonzero(judged["flagged"])[0] == len(judged) - 50
