"""Models come back as they were, are seen only when whole, and are never code."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake_files import LakeFiles
from usage_platform.adapters.model_store import ModelStore
from usage_platform.core.meters import Meter
from usage_platform.core.model import Manifest, Model
from usage_platform.core.slot_forests import train_slot_forests

START = pd.Timestamp("2024-01-01T00:00:00Z")
METERS = (Meter("ä / b", "UTC", 60), Meter("a", "Europe/Rome", 60))


def history(meter, weeks, seed=1):
    """Weekdays only, so that the slots of the weekend stay thin."""
    times = pd.date_range(START, periods=24 * 7 * weeks, freq="h", unit="ns")
    values = np.random.default_rng(seed).random(len(times))
    frame = pd.DataFrame({"meter": meter.name, "event_time": times, "value": values})
    return frame[frame["event_time"].dt.weekday < 5]


@pytest.fixture(scope="module")
def forests():
    return {
        meter.name: train_slot_forests(history(meter, 4, n), meter, lambda done, total: None)
        for n, meter in enumerate(METERS)
    }


def model(forests, version="v1", window_end="2024-01-29T00:00:00+00:00", trained_at="2024-02-01"):
    manifest = Manifest(
        version, "blog", START.isoformat(), window_end, trained_at, 9, 2, 1, 0, 3, {"numpy": "2"}
    )
    return Model(manifest, forests)


@pytest.fixture
def files(lake) -> LakeFiles:
    return LakeFiles(lake.models)


def test_a_model_scores_the_same_after_it_was_stored(files, forests):
    assert ModelStore(files).save(model(forests))
    got = ModelStore(files).load("v1")
    assert got.manifest == model(forests).manifest
    assert list(got.forests) == [meter.name for meter in METERS]
    rng = np.random.default_rng(3)
    times = pd.Series(pd.date_range(START, periods=500, freq="h", unit="ns"))
    values = rng.random(500) * 2 - 0.5
    for name, forest in forests.items():
        assert 0 < forest.trained.sum() < len(forest.trained)
        assert got.forests[name].meter == forest.meter
        np.testing.assert_array_equal(got.forests[name].comparables, forest.comparables)
        pd.testing.assert_frame_equal(
            got.forests[name].score(times, values), forest.score(times, values), check_exact=True
        )


def test_a_model_is_not_there_before_its_manifest_is(lake, files, forests):
    store = ModelStore(files)
    store.save(model(forests))
    manifest = Path(lake.models, "v1", "manifest.json")
    manifest.rename(manifest.with_name("later"))
    assert ModelStore(files).manifests() == []
    with pytest.raises(FileNotFoundError, match="model v1: not in the store"):
        ModelStore(files).load("v1")


def test_a_version_that_is_there_is_left_as_it_is(files, forests):
    store = ModelStore(files)
    assert store.save(model(forests))
    assert not store.save(model(forests, trained_at="2030-01-01"))
    assert [m.trained_at for m in store.manifests()] == ["2024-02-01"]


def test_models_stand_by_the_end_of_their_history(files, forests):
    store = ModelStore(files)
    store.save(model(forests, "late", "2024-03-01T00:00:00+00:00", "2024-03-02"))
    store.save(model(forests, "again", "2024-02-01T00:00:00+00:00", "2024-03-03"))
    store.save(model(forests, "early", "2024-02-01T00:00:00+00:00", "2024-02-02"))
    assert [m.version for m in store.manifests()] == ["early", "again", "late"]


def test_an_empty_store_has_no_model(files):
    assert ModelStore(files).manifests() == []


def test_a_model_is_data_only(lake, files, forests):
    ModelStore(files).save(model(forests))
    stored = {path.suffix for path in Path(lake.models).rglob("*") if path.is_file()}
    assert stored == {".json", ".parquet"}
