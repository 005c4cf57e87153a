from dataclasses import replace

import numpy as np
import pytest

from usage_platform.core.detector.gate import WEEKS, Examined, examine
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.train import train
from usage_platform_tests.core.detector.series import DAY, HOURLY, MONDAY, library


@pytest.fixture(scope="module")
def series():
    return library(84)


@pytest.fixture(scope="module")
def old(series):
    return train(*series, HOURLY, TrainingOptions(), MONDAY + 77 * DAY)


@pytest.fixture(scope="module")
def new(series):
    return train(*series, HOURLY, TrainingOptions(), MONDAY + 84 * DAY)


def test_a_detector_like_the_one_before_is_fit(new, old, series):
    examined = examine(new, old, *series)
    assert examined.is_fit
    assert examined.weeks == WEEKS
    assert examined.budget == WEEKS * new.options.false_alarms_per_week
    assert examined.found > examined.faults / 2 > 5


def test_one_with_a_quarter_of_the_bar_raises_too_many_alarms(new, old, series):
    examined = examine(replace(new, threshold=new.threshold / 4), old, *series)
    assert not examined.keeps_budget
    assert examined.finds_as_much
    assert not examined.is_fit


def test_one_with_four_times_the_bar_finds_too_little(new, old, series):
    examined = examine(replace(new, threshold=new.threshold * 4), old, *series)
    assert examined.keeps_budget
    assert not examined.finds_as_much
    assert not examined.is_fit


def test_alarms_that_the_one_before_raises_too_are_no_reason_against_it(new, series):
    loud = replace(new, threshold=new.threshold / 4)
    examined = examine(loud, loud, *series)
    assert examined.alarm_days == examined.alarm_days_before > 3 * examined.budget
    assert examined.is_fit


def test_readings_after_the_history_and_missing_ones_do_not_count(new, old, series):
    instants, values = library(98)
    values[84 * 24 :] = 9999.0
    holes = values.copy()
    holes[80 * 24 : 80 * 24 + 5] = np.nan
    assert examine(new, old, instants, values) == examine(new, old, *series)
    kept = np.isfinite(holes)
    assert examine(new, old, instants, holes) == examine(new, old, instants[kept], holes[kept])


@pytest.mark.parametrize(
    ("days", "before", "fits"), [(2, 0, True), (4, 0, True), (5, 0, False), (9, 9, True)]
)
def test_alarm_days_may_exceed_the_budget_by_chance_or_as_before(days, before, fits):
    assert Examined(4, 2.0, days, before).keeps_budget is fits


@pytest.mark.parametrize(("found", "fits"), [(20, True), (16, True), (15, False), (28, True)])
def test_fewer_faults_may_be_found_by_chance_only(found, fits):
    assert Examined(faults=28, found=found, found_before=20).finds_as_much is fits


@pytest.mark.parametrize(("found", "fits"), [(20, True), (19, True), (18, False)])
def test_one_of_few_faults_may_be_missed_by_chance_where_all_were_found(found, fits):
    assert Examined(faults=20, found=found, found_before=20).finds_as_much is fits


def test_meters_add_up_and_nothing_examined_is_fit():
    one = Examined(4, 2.0, 1, 2, 28, 20, 21)
    assert one + one == Examined(8, 4.0, 2, 4, 56, 40, 42)
    assert one + Examined() == one
    assert Examined().is_fit
