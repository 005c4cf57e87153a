import numpy as np
import pytest

from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.score import Kind
from usage_platform.core.detector.stepwise.scorer import StepwiseScorer
from usage_platform.core.detector.train import train
from usage_platform.core.time.calendar import Calendar
from usage_platform_tests.core.detector.series import DAY, HOUR, HOURLY, MONDAY, library

CALENDAR = Calendar("US", "MA")


@pytest.fixture
def live():
    model = train(*library(10), HOURLY, TrainingOptions(CALENDAR), MONDAY + 10 * DAY)
    return StepwiseScorer(model, *library(10))


def test_a_reading_that_comes_too_late_is_refused_and_changes_nothing(live):
    last = MONDAY + 10 * DAY - HOUR
    for late in (last, last - HOUR, last + HOUR // 2):
        assert not live.can_take(late)
        with pytest.raises(ValueError, match="meter m: expected a finite reading later than"):
            live.score_next(late, 400.0)
    assert live.can_take(last + HOUR)
    assert live.score_next(last + HOUR, 400.0).kind == Kind.NONE


def test_a_reading_that_is_not_finite_is_refused_and_changes_nothing(live):
    with pytest.raises(ValueError, match="got nan"):
        live.score_next(MONDAY + 10 * DAY, float("nan"))
    assert live.can_take(MONDAY + 10 * DAY)


def test_without_any_usable_reading_there_is_nothing_to_go_on_from(live):
    model = train(*library(10), HOURLY, TrainingOptions(CALENDAR), MONDAY + 10 * DAY)
    with pytest.raises(ValueError, match="one usable reading or more"):
        StepwiseScorer(model, np.array([MONDAY]), np.array([np.nan]))
