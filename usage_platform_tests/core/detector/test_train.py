from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.score import Kind, score
from usage_platform.core.detector.train import FIRST_DAYS, HISTORY_DAYS, train
from usage_platform.core.meters import Meter
from usage_platform_tests.core.detector.series import DAY, HOURLY, MONDAY, library


def trained(instants, values, until, **given):
    return train(instants, values, HOURLY, TrainingOptions(**given), until)


def test_readings_from_the_end_of_training_on_are_not_looked_at():
    instants, values = library(70)
    until = MONDAY + 63 * DAY
    changed = np.where(instants >= until, 9999.0, values)
    one, other = (trained(instants, v, until) for v in (values, changed))
    assert one.threshold == other.threshold
    assert one.flatline_after == other.flatline_after
    np.testing.assert_array_equal(one.baseline.expected, other.baseline.expected)
    np.testing.assert_array_equal(one.forests.value, other.forests.value)


@pytest.mark.parametrize("days", [0, 1, FIRST_DAYS - 7])
def test_with_little_history_the_model_says_how_many_days_it_still_needs(days):
    instants, values = library(FIRST_DAYS + 7)
    model = trained(instants, values, MONDAY + days * DAY)
    assert model.baseline is None
    assert model.days_left == FIRST_DAYS - days


def test_after_the_first_days_the_model_judges():
    instants, values = library(FIRST_DAYS + 1)
    model = trained(instants, values, MONDAY + FIRST_DAYS * DAY)
    assert model.baseline is not None
    assert model.days_left == 0


def test_a_tighter_budget_raises_the_bar():
    instants, values = library(70)
    bars = [
        trained(instants, values, MONDAY + 70 * DAY, false_alarms_per_week=budget).threshold
        for budget in (2.0, 0.5, 0.1)
    ]
    assert bars == sorted(bars)


@pytest.mark.parametrize("budget", [0.0, 7.0, -1.0])
def test_a_budget_that_cannot_be_is_refused(budget):
    with pytest.raises(ValueError, match="false alarms a week"):
        TrainingOptions(false_alarms_per_week=budget)


@pytest.mark.parametrize("level", [0.0, 700.0])
@pytest.mark.parametrize("method", [Method.FOREST, Method.ROBUST_Z])
def test_a_constant_meter_is_normal_and_a_leap_of_it_is_not(level, method):
    instants, _ = library(70)
    values = np.full(len(instants), level)
    model = trained(instants, values, MONDAY + 63 * DAY, method=method)
    values[-1] = 2 * level + 500
    judged = score(model, instants, values, model.until)
    assert judged["flagged"].tolist() == [False] * (7 * 24 - 1) + [True]


def test_one_weekday_alone_is_enough_to_judge_that_weekday():
    instants, values = library(50)
    tuesdays = ((instants - MONDAY) // DAY) % 7 == 1
    instants, values = instants[tuesdays], values[tuesdays]
    start = int(instants[-24])
    model = trained(instants, values, start)
    assert not score(model, instants, values, start)["flagged"].any()
    for factor, kind in ((0.0, Kind.ZERO), (2.0, Kind.SPIKE), (10.0, Kind.SPIKE)):
        changed = values.copy()
        changed[-10] *= factor
        judged = score(model, instants, changed, start)
        assert judged["kind"].iloc[-10] == kind


def test_months_without_readings_before_are_no_reason_to_fail():
    instants, values = library(120)
    kept = (instants < MONDAY + 10 * DAY) | (instants >= MONDAY + 100 * DAY)
    model = trained(instants[kept], values[kept], MONDAY + 119 * DAY)
    judged = score(model, instants[kept], values[kept], model.until)
    assert not judged["flagged"].any()


def held_bytes(value):
    """The bytes of all arrays that a detector holds."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if is_dataclass(value):
        return sum(held_bytes(getattr(value, field.name)) for field in fields(value))
    return 0


def test_a_detector_of_five_minutes_with_a_full_history_holds_less_than_half_a_megabyte():
    meter = Meter("m", "America/New_York", 5)
    instants, values = library(HISTORY_DAYS, meter=meter)
    model = train(instants, values, meter, TrainingOptions(), MONDAY + HISTORY_DAYS * DAY)
    assert 250_000 < held_bytes(model) < 500_000
