"""What a detector thinks of its slots."""

import numpy as np
import pandas as pd

from usage_platform.core.detector.describe import expected_range, in_words
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.train import train
from usage_platform_tests.core.detector.made_models import cut_forests
from usage_platform_tests.core.detector.series import DAY, HOURLY, library

INSTANTS, VALUES = library(days=56)


def test_a_detector_knows_each_slot_and_is_least_sure_where_they_scatter():
    hour = pd.DatetimeIndex(INSTANTS).tz_localize("UTC").tz_convert(HOURLY.zone).hour
    noise = np.random.default_rng(0).normal(0, 200, len(VALUES))
    noisy = VALUES + np.where(np.isin(hour, (14, 15, 16)), noise, 0)
    until = int(INSTANTS[0]) + 56 * DAY
    detector = train(INSTANTS, noisy, HOURLY, TrainingOptions(method=Method.ROBUST_Z), until)
    low, middle, high = expected_range(detector)
    assert middle.shape == (168,)
    assert (low < middle).all()
    assert (middle < high).all()
    said = in_words(detector)
    assert said.startswith("It knows 168 of 168 slots.")
    assert said.endswith("15:00.")


def test_a_detector_that_is_learning_says_so():
    until = int(INSTANTS[0]) + 7 * DAY
    detector = train(INSTANTS, VALUES, HOURLY, TrainingOptions(method=Method.FOREST), until)
    assert "still learning" in in_words(detector)


def test_a_forest_a_slot_expects_the_middle_of_its_range_and_nothing_in_a_thin_slot():
    detector = cut_forests(HOURLY, low=100.0, high=300.0, thin=5)
    low, middle, high = expected_range(detector)
    assert np.flatnonzero(np.isnan(middle)).tolist() == [5]
    assert {*low[~np.isnan(low)]} == {100.0}
    assert {*middle[~np.isnan(middle)]} == {200.0}
    assert {*high[~np.isnan(high)]} == {300.0}
    assert in_words(detector).startswith("It knows 167 of 168 slots.")
