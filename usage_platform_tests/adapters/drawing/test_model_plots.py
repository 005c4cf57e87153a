"""Pictures come out for every kind of detector, also for one that knows nothing yet."""

import pandas as pd
import pytest

from usage_platform.adapters.drawing.model_plots import (
    expected_week,
    last_weeks,
    score_distribution,
)
from usage_platform.core.detector.baseline.slot_forests import train_slot_forests
from usage_platform.core.detector.model_timeline import scored_by
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.train import train
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform_tests.core.detector.series import DAY, HOUR, HOURLY, library

INSTANTS, VALUES = library(days=49)
SERIES = Series(INSTANTS, VALUES)
PNG = b"\x89PNG\r\n\x1a\n"


def trained(method, days=49):
    until = int(INSTANTS[0]) + days * DAY
    if method is not Method.BLOG:
        return train(INSTANTS, VALUES, HOURLY, TrainingOptions(method=method), until)
    times = pd.Series(pd.DatetimeIndex(INSTANTS).tz_localize("UTC"))
    history = pd.DataFrame({"event_time": times, "value": VALUES})
    return train_slot_forests(history, HOURLY, lambda done, total: None)


@pytest.mark.parametrize(
    "make",
    [
        lambda: trained(Method.FOREST),
        lambda: trained(Method.ROBUST_Z),
        lambda: trained(Method.BLOG),
        lambda: trained(Method.FOREST, days=7),
    ],
    ids=["forest", "robust_z", "blog", "learning"],
)
def test_each_kind_of_detector_has_its_pictures(make):
    detector = make()
    judged = scored_by(detector, SERIES, int(INSTANTS[-1]) - 336 * HOUR)
    pictures = [
        expected_week(detector),
        last_weeks(judged, HOURLY),
        score_distribution(judged, HOURLY),
    ]
    for picture in pictures:
        assert picture.startswith(PNG)
        assert 1_000 < len(picture) < 100_000


def test_odd_readings_are_marked():
    judged = scored_by(trained(Method.ROBUST_Z), SERIES, int(INSTANTS[-1]) - 336 * HOUR)
    none = judged.assign(flagged=False)
    some = judged.assign(flagged=judged.index % 10 == 0)
    assert last_weeks(none, HOURLY) != last_weeks(some, HOURLY)


@pytest.mark.parametrize("name", ["$x_{$", r"$\frac{1}{$", "a $ b $", "</text>", "Süd"])
def test_the_name_of_a_meter_is_text_in_a_picture(name):
    meter = Meter(name, HOURLY.timezone, HOURLY.interval_minutes)
    detector = train(
        INSTANTS, VALUES, meter, TrainingOptions(method=Method.ROBUST_Z), int(INSTANTS[-1])
    )
    assert expected_week(detector).startswith(PNG)
