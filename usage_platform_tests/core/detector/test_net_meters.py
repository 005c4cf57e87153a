"""A net meter: its series crosses zero, and is scored like any other."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from usage_platform.core.detector.describe import expected_range, in_words
from usage_platform.core.detector.grid import to_grid
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.rules import gross_without_model
from usage_platform.core.detector.score import Kind, score
from usage_platform.core.detector.slow_change import slow_changes
from usage_platform.core.detector.train import train
from usage_platform_tests.core.detector.series import (
    DAY,
    HOURLY,
    MONDAY,
    NET,
    NO_CALENDAR,
    library,
)

UNTIL = MONDAY + 63 * DAY
DAYS = 77
SHARE_OF_ALARMS = 0.02


@pytest.fixture(scope="module", params=[Method.FOREST, Method.ROBUST_Z])
def model(request):
    return train(*library(DAYS, meter=NET), NET, TrainingOptions(method=request.param), UNTIL)


def scored(model, change=lambda values: None):
    instants, values = library(DAYS, meter=NET)
    change(values)
    return score(model, instants, values, UNTIL)


def test_the_series_crosses_zero_and_its_expected_range_follows_it(model):
    clean = scored(model)
    assert (clean["value"] < 0).mean() > 0.15
    export = clean["expected"] < -100
    assert export.any()
    assert (clean.loc[export, "low"] < clean.loc[export, "expected"]).all()
    assert clean["value"].between(clean["low"], clean["high"]).mean() > 0.9
    assert clean["flagged"].mean() < SHARE_OF_ALARMS


def test_export_is_no_zero_and_a_zero_is_one_value_of_many(model):
    def nothing_at_noon(values):
        values[70 * 24 + 17] = 0.0

    kinds = set(scored(model, nothing_at_noon)["kind"])
    assert Kind.ZERO not in kinds


def test_panels_that_fail_are_found_and_are_no_load_at_night(model):
    clean, day = scored(model), slice(70 * 24 + 9, 70 * 24 + 14)

    def failed(values):
        values[day] = values[70 * 24 + 2]

    at = slice(day.start - 63 * 24, day.stop - 63 * 24)
    found = scored(model, failed).iloc[at]
    assert not clean.iloc[at]["flagged"].any()
    # At the first hour, near dawn, what is usual of the hours around is too.
    assert found["flagged"].iloc[1:].all()
    assert set(found["kind"].iloc[1:]) <= {Kind.SPIKE, Kind.LEVEL_SHIFT}


def test_a_meter_that_repeats_its_export_is_stuck(model):
    def stuck(values):
        values[70 * 24 : 70 * 24 + 20] = -555.0

    assert (scored(model, stuck)["kind"] == Kind.FLATLINE).sum() >= 10


def test_the_same_readings_of_a_meter_of_consumption_are_zeros(model):
    faulty = replace(model, meter=HOURLY, zeros_are_usual=np.zeros((3, 24), dtype=bool))
    assert Kind.ZERO in set(scored(faulty)["kind"])


def test_the_expected_range_of_a_week_reaches_below_zero(model):
    low, middle, _ = expected_range(model)
    assert (low < 0).any()
    assert (middle < 0).any()
    assert "of 168 slots" in in_words(model)


@pytest.mark.parametrize(("last", "is_gross"), [(-250.0, False), (250.0, False), (-700.0, True)])
def test_without_a_model_import_and_export_are_gross_alike(last, is_gross):
    values = np.append(-np.linspace(100, 200, 48), last)
    instants = MONDAY + 3600 * 10**9 * np.arange(len(values))
    assert gross_without_model(to_grid(instants, values, NET, NO_CALENDAR, 0))[-1] == is_gross


def test_no_share_of_a_level_near_zero_is_reported_as_a_slow_change():
    instants, values = library(120, meter=NET)
    assert slow_changes(instants, values, NET, NO_CALENDAR) == []
    assert slow_changes(*library(120), HOURLY, NO_CALENDAR) != []


def test_the_first_readings_of_a_net_meter_are_not_zeros():
    instants, values = library(10, meter=NET)
    learning = train(instants, values, NET, TrainingOptions(), MONDAY + 5 * DAY)
    found = score(learning, instants, values, MONDAY + 5 * DAY)
    assert not found["flagged"].any()
    assert isinstance(found["ts"].iloc[0], pd.Timestamp)
