"""Models come back as they were, are seen only when whole, and are never code."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores import detector_files, stored_detectors
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.adapters.stores.stored_detectors import DetectorCache
from usage_platform.core.detector.manifest import model_version
from usage_platform.core.detector.model_timeline import LOOK_BACK, scored_by
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.train import HISTORY_DAYS, train
from usage_platform.core.detector.week_profile import week_profile
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.time.calendar import Calendar
from usage_platform_tests.adapters.stores.former_writer import save_former
from usage_platform_tests.adapters.stores.made_forests import (
    START,
    made_forests,
    model,
)
from usage_platform_tests.core.detector.series import DAY, library

INSTANTS, VALUES = library(days=84)
CALENDAR = Calendar("US", "MA", (date(2024, 2, 14), date(2024, 3, 1)))


@pytest.fixture(scope="module")
def forests():
    return made_forests()


def detector(name, method, days):
    meter, until = Meter(name, "America/New_York", 60), int(INSTANTS[0]) + days * DAY
    return train(INSTANTS, VALUES, meter, TrainingOptions(CALENDAR, method, 0.25, 0.1), until)


@pytest.fixture(scope="module")
def detectors(forests):
    """One of every kind, also one with two weeks only and one that has seen nothing."""
    made = [
        detector("ready", Method.FOREST, 70),
        detector("ä z", Method.ROBUST_Z, 70),
        detector("short", Method.FOREST, 14),
        detector("new", Method.FOREST, 0),
    ]
    return {**forests, **{one.meter.name: one for one in made}}


@pytest.fixture
def files(lake) -> LakeFiles:
    return LakeFiles(lake.models)


def test_detectors_of_every_kind_come_back_exact_to_the_bit(files, detectors):
    assert ModelStore(files).save(model(detectors))
    got = ModelStore(files).load("v1")
    assert got.manifest == model(detectors).manifest
    assert list(got.detectors) == sorted(detectors)
    assert len(got.detectors) == len(detectors)
    begin = START.to_pydatetime()
    for name, before in detectors.items():
        after = got.detectors[name]
        assert type(after) is type(before)
        assert model_version(begin, {name: after}) == model_version(begin, {name: before})


def test_detectors_judge_the_same_after_they_were_stored(files, detectors):
    ModelStore(files).save(model(detectors))
    got = ModelStore(files).load("v1").detectors
    odd = np.where(np.arange(len(VALUES)) % 29 == 0, VALUES * 1.5, VALUES)
    start = int(INSTANTS[0]) + LOOK_BACK.value
    assert scored_by(detectors["ready"], Series(INSTANTS, odd), start)["flagged"].any()
    for name, before in detectors.items():
        judged = [scored_by(one, Series(INSTANTS, odd), start) for one in (before, got[name])]
        pd.testing.assert_frame_equal(*judged, check_exact=True)


@pytest.mark.parametrize("is_former", [False, True])
def test_what_is_expected_is_read_without_the_rest_of_a_detector(
    files, detectors, monkeypatch, is_former
):
    if is_former:
        save_former(files, model(detectors))
    else:
        ModelStore(files).save(model(detectors))
        # Fewer at once than there are: the last part is short.
        monkeypatch.setattr(detector_files, "_ROWS_AT_ONCE", 4)
    found = dict(ModelStore(files).profiles("v1"))
    assert sorted(found) == sorted(detectors)
    for name, detector in detectors.items():
        expected, profile = week_profile(detector), found[name]
        if expected is None:
            assert profile is None
        else:
            assert profile is not None
            assert (profile.meter, profile.until_day) == (expected.meter, expected.until_day)
            assert profile.calendar == expected.calendar
            np.testing.assert_array_equal(profile.expected, expected.expected)


def test_a_model_without_a_meter_comes_back_too(files):
    ModelStore(files).save(model({}))
    assert ModelStore(files).load("v1").detectors == {}


def test_a_model_is_not_there_before_its_manifest_is(lake, files, forests):
    store = ModelStore(files)
    store.save(model(forests))
    store.promote(["v1"])
    manifest = Path(lake.models, "v1", "manifest.json")
    manifest.rename(manifest.with_name("later"))
    assert ModelStore(files).candidates() == ModelStore(files).manifests() == []
    with pytest.raises(FileNotFoundError, match="model v1: not in the store"):
        ModelStore(files).load("v1")


def test_a_model_whose_writing_ended_halfway_is_not_seen_and_can_be_written_again(
    files, forests, monkeypatch
):
    write_text = LakeFiles.write_text

    def dies_at_the_manifest(self, name, text):
        if name.endswith("manifest.json"):
            raise RuntimeError("killed")
        write_text(self, name, text)

    with monkeypatch.context() as patch:
        patch.setattr(LakeFiles, "write_text", dies_at_the_manifest)
        with pytest.raises(RuntimeError, match="killed"):
            ModelStore(files).save(model(forests))
    store = ModelStore(files)
    assert store.candidates() == []
    assert store.save(model(forests))
    assert [m.version for m in store.candidates()] == ["v1"]


def test_a_model_of_another_version_of_the_platform_is_not_seen(lake, files, forests):
    store = ModelStore(files)
    store.save(model(forests))
    store.promote(["v1"])
    path = Path(lake.models, "v1", "manifest.json")
    manifest = json.loads(path.read_text())
    del manifest["judges_from"]
    path.write_text(json.dumps(manifest))
    assert ModelStore(files).candidates() == ModelStore(files).manifests() == []


def test_a_version_that_is_there_is_left_as_it_is(files, forests):
    store = ModelStore(files)
    assert store.save(model(forests))
    assert not store.save(model(forests, trained_at="2030-01-01"))
    assert [m.trained_at for m in store.candidates()] == ["2024-02-01"]


def test_a_model_of_an_earlier_release_comes_back_exact_to_the_bit(files, detectors):
    save_former(files, model(detectors))
    store = ModelStore(files)
    store.promote(["v1"])
    assert store.manifests() == [model(detectors).manifest]
    got = store.load("v1").detectors
    assert set(got) == set(detectors)
    assert len(got) == len(detectors)
    for name, before in detectors.items():
        assert model_version(START, {name: got[name]}) == model_version(START, {name: before})


def test_a_detector_is_read_without_those_of_other_meters(files, detectors, monkeypatch):
    ModelStore(files).save(model(detectors))
    read = []
    from_row = detector_files.from_row
    monkeypatch.setattr(
        detector_files,
        "from_row",
        lambda row: read.append(row["meter"].to_pylist()) or from_row(row),
    )
    got = ModelStore(files).load("v1").detectors
    assert "ready" in got
    assert "unknown" not in got
    assert "" not in got
    assert got.get("unknown") is got.get("") is None
    assert not read
    assert got["ready"].meter.name == "ready"
    assert got["ready"] is got["ready"]
    assert read == [["ready"]]


def test_a_detector_that_somebody_holds_is_not_read_again(files, detectors, monkeypatch):
    store = ModelStore(files)
    store.save(model(detectors))
    monkeypatch.setattr(store, "_cache", DetectorCache(most=1))
    got = store.load("v1").detectors
    held = got["ready"]
    assert got["short"] is not None
    assert got["new"] is not None
    assert got["ready"] is held
    read = []
    monkeypatch.setattr(
        stored_detectors, "read_detector", lambda *given: read.append(given) or detectors["short"]
    )
    assert got["short"] is detectors["short"]
    assert got["ready"] is held
    assert len(read) == 1


def test_a_weekly_model_of_a_five_minute_meter_takes_less_than_a_fifth_of_a_megabyte(files):
    meter = Meter("m", "America/New_York", 5)
    readings = library(days=HISTORY_DAYS, meter=meter)
    until = int(INSTANTS[0]) + HISTORY_DAYS * DAY
    store = ModelStore(files)
    store.save(model({"m": train(*readings, meter, TrainingOptions(CALENDAR), until)}))
    assert 100_000 < store.bytes_of("v1") < 200_000
    assert store.bytes_of("other") == 0


def test_a_damaged_file_of_detectors_is_one_line_with_its_name(lake, files, forests):
    ModelStore(files).save(model(forests))
    path = Path(lake.models, "v1", "detectors", "00000.parquet")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(LakeError, match=rf"^{path}: damaged \(") as caught:
        ModelStore(files).load("v1").detectors["a"]
    assert "\n" not in str(caught.value)


def test_a_model_is_data_only(lake, files, detectors):
    ModelStore(files).save(model(detectors))
    stored = {path.suffix for path in Path(lake.models).rglob("*") if path.is_file()}
    assert stored == {".json", ".parquet"}
