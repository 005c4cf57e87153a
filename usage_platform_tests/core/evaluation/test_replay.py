import numpy as np
import pandas as pd
import pytest

from usage_platform.core.detector.baseline.slot_forests import CUT, train_slot_forests
from usage_platform.core.detector.model import Method
from usage_platform.core.evaluation.replay import REPLAY_COLUMNS, replay
from usage_platform_tests.core.detector.series import (
    DAY,
    HOURLY,
    MONDAY,
    NO_CALENDAR,
    frame,
    library,
)


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
    return replay(readings, HOURLY, NO_CALENDAR, method)


def test_every_reading_has_one_row(readings, whole):
    assert tuple(whole.columns) == REPLAY_COLUMNS
    assert whole["ts"].tolist() == readings["ts"].tolist()
    assert whole["value"].tolist() == readings["value"].tolist()


@pytest.mark.parametrize("days", [1.2, 28.0, 45.3, 51.0])
def test_what_comes_later_changes_nothing_before(readings, whole, method, days):
    stop = int(days * 24)
    prefix = replay(readings.iloc[:stop], HOURLY, NO_CALENDAR, method)
    pd.testing.assert_frame_equal(prefix, whole.iloc[:stop], check_exact=True)


def test_the_first_weeks_are_said_to_be_learning(whole):
    first = whole.loc[~whole["learning"].astype(bool), "ts"].iloc[0]
    assert first.value == MONDAY + 28 * DAY


def test_faults_are_found_as_episodes(whole):
    assert whole.loc[whole["flagged"], "episode"].nunique() == 2


def test_the_blogs_method_is_exactly_that_of_the_slot_forests(readings):
    monday = MONDAY + 35 * DAY
    judged = replay(
        readings.iloc[: 37 * 24],
        HOURLY,
        NO_CALENDAR,
        Method.BLOG,
        from_=pd.Timestamp(monday, tz="UTC"),
    )
    known = readings.rename(columns={"ts": "event_time"})
    past = known.iloc[5 * 24 : 35 * 24]
    forests = train_slot_forests(past, HOURLY, lambda done, of: None)
    coming = known.iloc[35 * 24 : 37 * 24]
    scores = forests.score(coming["event_time"], coming["value"].to_numpy())["score"].to_numpy()
    assert (judged["score"] * CUT).tolist() == np.maximum(scores, 0).tolist()
    assert judged["flagged"].tolist() == (scores > CUT).tolist()


def test_from_a_later_week_on_the_rows_are_the_same(readings, method, whole):
    late = replay(
        readings, HOURLY, NO_CALENDAR, method, from_=pd.Timestamp(MONDAY + 44 * DAY, tz="UTC")
    )
    expected = whole.loc[whole["ts"] >= pd.Timestamp(MONDAY + 42 * DAY, tz="UTC")]
    pd.testing.assert_frame_equal(late, expected.reset_index(drop=True), check_exact=True)


def test_times_in_microseconds_make_no_difference(readings):
    coarse = readings.assign(ts=readings["ts"].astype("datetime64[us, UTC]"))
    one, other = (replay(r.iloc[: 35 * 24], HOURLY, NO_CALENDAR) for r in (readings, coarse))
    pd.testing.assert_frame_equal(one, other)


def test_readings_that_are_not_finite_are_left_out(readings):
    broken = readings.iloc[:100].copy()
    broken.loc[5, "value"] = np.nan
    assert len(replay(broken, HOURLY, NO_CALENDAR)) == 99


def test_no_reading_gives_no_row(readings):
    assert tuple(replay(readings.iloc[:0], HOURLY, NO_CALENDAR).columns) == REPLAY_COLUMNS
