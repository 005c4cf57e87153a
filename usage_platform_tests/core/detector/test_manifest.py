import json
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.manifest import Manifest, model_version
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.train import train
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar
from usage_platform_tests.core.detector.made_manifest import manifest
from usage_platform_tests.core.detector.made_models import cut_forests
from usage_platform_tests.core.detector.series import DAY, HOURLY, MONDAY, library
from usage_platform_tests.repository import ROOT

BEGIN = pd.Timestamp("2024-03-05T05:00:00Z")
METER = Meter("m", interval_minutes=60)


@pytest.fixture(scope="module")
def detector():
    return train(*library(35), HOURLY, TrainingOptions(), MONDAY + 35 * DAY)


@pytest.mark.parametrize("text", ["2024-03-05T05:00:00+00:00", "2024-03-05T00:00:00-05:00"])
def test_its_times_are_instants_however_they_are_written(text):
    made = replace(manifest("v", BEGIN), window_end=text, judges_from=text)
    assert made.end == made.begin == BEGIN


def test_a_manifest_comes_back_from_json():
    for budget in (None, 0.5):
        made = replace(manifest("v", BEGIN), false_alarms_per_week=budget)
        assert Manifest(**json.loads(json.dumps(made.as_dict()))) == made


def test_a_version_tells_the_start_and_is_the_same_for_the_same_detectors_in_any_order(detector):
    two = {"a": cut_forests(METER), "b": detector}
    version = model_version(BEGIN, two)
    assert version.startswith("20240305T0500-")
    assert version == model_version(BEGIN, dict(reversed(two.items())))


def test_training_again_on_the_same_readings_gives_the_same_version(detector):
    again = train(*library(35), HOURLY, TrainingOptions(), MONDAY + 35 * DAY)
    assert model_version(BEGIN, {"m": again}) == model_version(BEGIN, {"m": detector})


@pytest.mark.parametrize(
    "other",
    [
        {"b": cut_forests(METER)},
        {"a": cut_forests(METER, high=201)},
        {"a": cut_forests(Meter("m", "Europe/Rome", 60))},
        {"a": replace(cut_forests(METER), comparables=np.full(168, 8))},
        {"a": cut_forests(METER), "b": cut_forests(METER)},
        {},
    ],
    ids=["name", "cut", "zone", "comparables", "one_more", "none"],
)
def test_anything_that_changes_a_model_changes_its_version(other):
    assert model_version(BEGIN, other) != model_version(BEGIN, {"a": cut_forests(METER)})


def test_a_change_deep_inside_a_detector_changes_the_version_too(detector):
    same = model_version(BEGIN, {"m": detector})
    weights = replace(detector.baseline.weights, quick=(0.1, 0.2))
    forests = replace(detector.forests, value=np.nextafter(detector.forests.value, np.float32(9)))
    for other in (
        replace(detector, threshold=detector.threshold * 1.01),
        replace(detector, baseline=replace(detector.baseline, weights=weights)),
        replace(detector, forests=forests),
    ):
        assert model_version(BEGIN, {"m": other}) != same


def test_another_start_is_another_version():
    same = {"a": cut_forests(METER)}
    assert model_version(BEGIN, same) != model_version(BEGIN + pd.Timedelta(days=1), same)


@pytest.mark.parametrize(
    ("method", "version"),
    [
        (Method.FOREST, "20240305T0500-110cba46"),
        (Method.ROBUST_Z, "20240305T0500-2cec9129"),
        (Method.BLOG, "20240305T0500-4a203075"),
    ],
)
def test_a_version_is_the_one_that_earlier_releases_gave_the_same_model(method, version):
    calendar = Calendar("US", "MA", (date(2024, 7, 5), date(2024, 7, 8)))
    options = TrainingOptions(calendar, method, 0.25, 0.1)
    learning = train(*library(10), HOURLY, options, MONDAY + 10 * DAY)
    assert model_version(BEGIN, {"m": learning}) == version
    assert model_version(BEGIN, {"m": cut_forests(METER)}) == "20240305T0500-e5ed36af"


def test_a_stored_model_of_an_earlier_release_still_has_its_version():
    lake = ROOT / "usage_platform_tests" / "fixtures" / "lake_before_anomaly_times" / "lake"
    store = ModelStore(LakeFiles(str(lake / "models")))
    [manifest] = store.candidates()
    detectors = store.load(manifest.version).detectors
    assert model_version(manifest.begin, detectors) == manifest.version == "20240308T0000-486841f1"


def test_a_version_does_not_depend_on_what_the_enum_of_methods_is_called(detector, monkeypatch):
    before = model_version(BEGIN, {"m": detector})
    monkeypatch.setattr(Method, "__repr__", lambda method: f"<Renamed.MEMBER: {method.value}>")
    assert repr(detector.options.method) == "<Renamed.MEMBER: forest>"
    assert model_version(BEGIN, {"m": detector}) == before
