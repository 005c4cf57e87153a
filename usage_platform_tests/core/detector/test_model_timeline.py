"""Which model judges which reading, whatever piece of the series is asked about."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.detector.model_timeline import LOOK_BACK, score_series, scored_by
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import NO_READINGS, ReadingHistory
from usage_platform_tests.core.detector.made_models import cut_forests, hourly, model, timeline_of

METER = Meter("m", "America/New_York", 60)
BEGIN = pd.Timestamp("2024-03-05T05:00:00Z")
HOUR = pd.Timedelta(hours=1)
WEEK = pd.Timedelta(days=7)
ALL = -(2**63)


def series(start, hours):
    history = ReadingHistory()
    history.add(hourly(start, [150.0] * hours))
    return history.of("m")


def versions(begins, start, hours, since=ALL, meter="m"):
    models = [model(str(n), begin, {meter: cut_forests(METER)}) for n, begin in enumerate(begins)]
    return score_series("m", series(start, hours), since, timeline_of(*models))


def test_a_model_judges_from_its_first_instant_to_that_of_the_next_one():
    judged = versions([BEGIN, BEGIN + 2 * HOUR], BEGIN - HOUR, 5)
    assert judged["model_version"].tolist() == ["0", "0", "1", "1"]
    assert judged["ts"].iloc[0] == BEGIN


def test_of_two_models_with_one_start_the_last_judges():
    assert set(versions([BEGIN, BEGIN], BEGIN, 3)["model_version"]) == {"1"}


@pytest.mark.parametrize("start", [BEGIN - 2 * HOUR, BEGIN + 9 * WEEK])
def test_only_readings_from_the_asked_instant_on_are_judged(start):
    since = start + HOUR
    judged = versions([BEGIN], start, 3, since.value)
    assert judged["ts"].min() == max(since, BEGIN)


@pytest.mark.parametrize("begins", [[], [BEGIN + WEEK]])
def test_readings_older_than_every_model_are_not_judged(begins):
    judged = versions(begins, BEGIN, 3)
    assert judged.empty
    assert {"ts", "flagged", "learning", "model_version"} <= set(judged)


def test_a_meter_that_a_model_does_not_know_is_not_judged_by_it():
    assert versions([BEGIN], BEGIN, 3, meter="other").empty


def test_no_readings_are_judged_as_nothing():
    timeline = timeline_of(model("v", BEGIN, {"m": cut_forests(METER)}))
    assert score_series("m", NO_READINGS, ALL, timeline).empty


def test_only_models_that_have_something_to_judge_are_loaded():
    loaded = []
    timeline = timeline_of(*(model(str(n), BEGIN + n * WEEK, {}) for n in range(4)))

    def load(version):
        loaded.append(version)
        return model(version, BEGIN, {"m": cut_forests(METER)})

    late = series(BEGIN + 2 * WEEK, 5)
    score_series("m", late, ALL, type(timeline)(timeline.manifests, load))
    assert loaded == ["2"]


def test_looking_back_reaches_over_the_context_of_the_first_reading():
    assert pd.Timedelta(days=35) < LOOK_BACK


starts = st.integers(-40, 40).map(lambda n: BEGIN + n * HOUR)


@settings(max_examples=40, deadline=None)
@given(st.lists(starts, max_size=4).map(sorted), st.integers(-30, 60))
def test_each_reading_is_judged_by_the_newest_model_of_its_time(begins, cut):
    whole = versions(begins, BEGIN - 20 * HOUR, 50)
    expected = [
        str(sum(begin <= at for begin in begins) - 1)
        for at in (BEGIN + n * HOUR for n in range(-20, 30))
        if any(begin <= at for begin in begins)
    ]
    assert whole["model_version"].tolist() == expected
    since = BEGIN + cut * HOUR
    part = versions(begins, BEGIN - 20 * HOUR, 50, since.value)
    assert part["ts"].tolist() == whole.loc[whole["ts"] >= since, "ts"].tolist()


def test_forests_judge_without_a_past():
    judged = scored_by(cut_forests(METER), series(BEGIN, 5), (BEGIN + 3 * HOUR).value)
    assert len(judged) == 2
