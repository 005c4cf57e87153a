import numpy as np
import pandas as pd
import pytest

from usage_platform.core.detector.baseline.slot_forests import (
    CUT,
    MAX_HISTORY_DAYS,
    train_slot_forests,
)
from usage_platform.core.detector.gate import Examined
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.score import Kind, score
from usage_platform.core.detector.train import train
from usage_platform.core.evaluation.replay import REPLAY_COLUMNS, replay
from usage_platform_tests.core.detector.made_models import label
from usage_platform_tests.core.detector.series import DAY, HOURLY, MONDAY, NET, frame, library


@pytest.fixture(scope="module")
def readings():
    instants, values = library(60)
    values[45 * 24 + 3 : 45 * 24 + 9] += 250
    values[50 * 24 + 12] *= 4
    return frame(instants, values)


@pytest.fixture(scope="module", params=[Method.FOREST, Method.ROBUST_Z])
def method(request):
    return request.param


@pytest.fixture(scope="module")
def whole(readings, method):
    return replay(readings, HOURLY, TrainingOptions(method=method))


def test_every_reading_has_one_row(readings, whole):
    assert tuple(whole.columns) == REPLAY_COLUMNS
    assert whole["ts"].tolist() == readings["ts"].tolist()
    assert whole["value"].tolist() == readings["value"].tolist()


@pytest.mark.parametrize("days", [1.2, 28.0, 45.3, 51.0])
def test_what_comes_later_changes_nothing_before(readings, whole, method, days):
    stop = int(days * 24)
    prefix = replay(readings.iloc[:stop], HOURLY, TrainingOptions(method=method))
    pd.testing.assert_frame_equal(prefix, whole.iloc[:stop], check_exact=True)


def test_the_first_weeks_are_said_to_be_learning(whole):
    first = whole.loc[~whole["learning"].astype(bool), "ts"].iloc[0]
    # Trained on four weeks, a model takes over on the Tuesday after them.
    assert first.value == MONDAY + 29 * DAY


def test_export_of_a_net_meter_is_no_zero():
    instants, values = library(45, meter=NET)
    assert (values < 0).any()
    found = replay(frame(instants, values), NET, TrainingOptions(method=Method.ROBUST_Z))
    assert not (found["kind"] == Kind.ZERO).any()


def test_faults_are_found_as_episodes(whole):
    assert whole.loc[whole["flagged"], "episode"].nunique() == 2


def test_the_blogs_method_is_exactly_that_of_the_slot_forests(readings):
    judged = replay(
        readings.iloc[: 37 * 24],
        HOURLY,
        TrainingOptions(method=Method.BLOG),
        from_=pd.Timestamp(MONDAY + 36 * DAY, tz="UTC"),
    )
    known = readings.rename(columns={"ts": "event_time"})
    past = known.iloc[: 35 * 24]
    forests = train_slot_forests(past, HOURLY, lambda done, of: None)
    coming = known.iloc[36 * 24 : 37 * 24]
    scores = forests.score(coming["event_time"], coming["value"].to_numpy())["score"].to_numpy()
    assert (judged["score"] * CUT).tolist() == np.maximum(scores, 0).tolist()
    assert judged["flagged"].tolist() == (scores > CUT).tolist()


def test_from_a_later_instant_on_the_rows_are_the_same(readings, method, whole):
    begin = pd.Timestamp(MONDAY + 44 * DAY, tz="UTC")
    late = replay(readings, HOURLY, TrainingOptions(method=method), from_=begin)
    expected = whole.loc[whole["ts"] >= begin]
    pd.testing.assert_frame_equal(late, expected.reset_index(drop=True), check_exact=True)


def test_times_in_microseconds_make_no_difference(readings):
    coarse = readings.assign(ts=readings["ts"].astype("datetime64[us, UTC]"))
    one, other = (replay(r.iloc[: 35 * 24], HOURLY, TrainingOptions()) for r in (readings, coarse))
    pd.testing.assert_frame_equal(one, other)


def test_readings_that_are_not_finite_are_left_out(readings):
    broken = readings.iloc[:100].copy()
    broken.loc[5, "value"] = np.nan
    assert len(replay(broken, HOURLY, TrainingOptions())) == 99


def test_no_reading_gives_no_row(readings):
    assert tuple(replay(readings.iloc[:0], HOURLY, TrainingOptions()).columns) == REPLAY_COLUMNS


COMPARED = ["ts", "value", "expected", "low", "high", "score", "flagged"]


def test_the_blogs_method_looks_back_as_far_as_on_the_platform():
    instants, values = library(MAX_HISTORY_DAYS + 30)
    until = MONDAY + 98 * DAY
    begin = pd.Timestamp(until + DAY, tz="UTC")
    judged = replay(
        frame(instants, values), HOURLY, TrainingOptions(method=Method.BLOG), from_=begin
    )
    seen = (instants < until) & (instants >= until - MAX_HISTORY_DAYS * DAY)
    past = frame(instants[seen], values[seen]).rename(columns={"ts": "event_time"})
    forests = train_slot_forests(past, HOURLY, lambda done, of: None)
    coming = frame(instants, values)[instants >= until + DAY]
    scores = forests.score(coming["ts"], coming["value"].to_numpy())["score"].to_numpy()
    assert (judged["score"] * CUT).tolist() == np.maximum(scores, 0).tolist()


def test_a_model_that_is_not_fit_does_not_take_over(readings, method, monkeypatch):
    monkeypatch.setattr(
        "usage_platform.core.detector.training.examine",
        lambda new, old, instants, values: Examined(weeks=4, alarm_days=99),
    )
    options = TrainingOptions(method=method)
    judged = replay(readings, HOURLY, options)
    instants, values = readings["ts"].astype("int64").to_numpy(), readings["value"].to_numpy()
    # Nothing is compared with the first model that knows what to expect.
    first = train(instants, values, HOURLY, options, MONDAY + 28 * DAY)
    expected = score(first, instants, values, MONDAY + 29 * DAY)
    known = judged.loc[~judged["learning"].astype(bool)].reset_index(drop=True)
    pd.testing.assert_frame_equal(known[COMPARED], expected[COMPARED], check_exact=True)


@pytest.mark.parametrize("says", ["true", "planned"])
def test_what_a_label_calls_anomalous_or_planned_is_not_trained_on(readings, method, says):
    begin = pd.Timestamp(MONDAY + 38 * DAY, tz="UTC")
    end = begin + pd.Timedelta(days=3)
    options = TrainingOptions(method=method)
    judged = replay(readings, HOURLY, options, label("m", begin, end, says))
    instants, values = readings["ts"].astype("int64").to_numpy(), readings["value"].to_numpy()
    inside = ((readings["ts"] >= begin) & (readings["ts"] < end)).to_numpy()
    without = np.where(inside, np.nan, values)
    model = train(instants, without, HOURLY, options, MONDAY + 42 * DAY)
    week = instants < MONDAY + 50 * DAY
    expected = score(model, instants[week], values[week], MONDAY + 43 * DAY)
    same_week = (judged["ts"] >= expected["ts"].iloc[0]) & (judged["ts"] <= expected["ts"].iloc[-1])
    got = judged.loc[same_week].reset_index(drop=True)
    pd.testing.assert_frame_equal(got[COMPARED], expected[COMPARED], check_exact=True)


def test_a_planned_stretch_is_not_flagged(readings, whole, method):
    begin = pd.Timestamp(MONDAY + 50 * DAY, tz="UTC")
    end = begin + pd.Timedelta(days=1)
    labels = label("m", begin, end, "planned")
    planned = replay(readings, HOURLY, TrainingOptions(method=method), labels)
    inside = (whole["ts"] >= begin) & (whole["ts"] < end)
    assert whole.loc[inside, "flagged"].any()
    assert not planned.loc[inside, "flagged"].any()
    assert set(planned.loc[inside, "episode"]) == set(planned.loc[inside, "kind"]) == {""}
