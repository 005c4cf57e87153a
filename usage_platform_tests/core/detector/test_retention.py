"""Only models that score nothing are useless, and only after the days for a roll-back."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.detector.manifest import Model
from usage_platform.core.detector.model_timeline import ModelTimeline, score_series
from usage_platform.core.detector.retention import KEPT, useless
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform_tests.core.detector.made_manifest import manifest
from usage_platform_tests.core.detector.made_models import cut_forests

START = pd.Timestamp("2024-01-01T00:00:00Z")
WEEK = pd.Timedelta(days=7)
NOW = START + 52 * WEEK
METER = Meter("m", "UTC", 60)


def made(version, week, trained):
    begin = START + week * WEEK
    return manifest(
        version,
        begin,
        trained_at=trained.isoformat(),
        window_end=(begin - pd.Timedelta(days=1)).isoformat(),
    )


def test_a_promoted_model_stays_however_old_it_is():
    models = [made(f"v{week}", week, START) for week in range(40)]
    assert useless(models, {one.version for one in models}, NOW) == []


def test_a_model_whose_week_was_trained_again_and_promoted_goes_once_the_later_one_is_old():
    later = NOW - KEPT
    models = [made("first", 1, START), made("again", 1, later), made("next", 2, START)]
    promoted = {"first", "again", "next"}
    assert [one.version for one in useless(models, promoted, NOW)] == ["first"]
    assert useless(models, promoted, NOW - pd.Timedelta(seconds=1)) == []


def test_a_model_that_was_not_promoted_goes_unless_it_is_the_newest():
    models = [made("unfit", 1, START), made("fit", 2, START), made("new", 3, START)]
    assert [one.version for one in useless(models, {"fit"}, NOW)] == ["unfit"]
    assert useless(models, {"fit"}, START + KEPT - pd.Timedelta(seconds=1)) == []


def test_without_models_there_is_nothing_to_remove():
    assert useless([], {"gone"}, NOW) == []


weeks = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 51), st.booleans()), max_size=12)


@pytest.mark.parametrize("now", [NOW, NOW + 100 * WEEK])
@given(weeks)
def test_every_reading_is_scored_by_the_same_model_without_them(now, given_weeks):
    models = [
        made(f"v{at}", week, START + trained * WEEK)
        for at, (week, trained, _) in enumerate(given_weeks)
    ]
    models = sorted(models, key=lambda one: (one.begin, one.trained_at))
    promoted = {f"v{at}" for at, (_, _, is_promoted) in enumerate(given_weeks) if is_promoted}
    instants = pd.date_range(START, START + 7 * WEEK, freq="12h", unit="ns").asi8
    series = Series(instants, instants * 0.0)
    known = {one.version: Model(one, {"m": cut_forests(METER)}) for one in models}
    gone = useless(models, promoted, now)
    scored = []
    for left in (models, [one for one in models if one not in gone]):
        in_use = [one for one in left if one.version in promoted]
        timeline = ModelTimeline(in_use, known.__getitem__)
        scored.append(score_series("m", series, int(instants[0]), timeline))
    pd.testing.assert_frame_equal(*scored)
    if models:
        newest = max(one.end for one in models)
        assert max((one.end for one in models if one not in gone), default=None) == newest
