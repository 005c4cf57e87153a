"""Meters that cannot be trained and models that are not fit: the others go on."""

from datetime import timedelta

import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.gate import Examined
from usage_platform.core.detector.training import train_meter
from usage_platform.services.train_weeks import TrainingError
from usage_platform_tests.services.train.library_meters import (
    FIRST,
    METERS,
    content,
    run,
)


def test_a_meter_that_fails_is_named_and_keeps_its_detector_and_the_others_are_trained(
    files, reader, monkeypatch, tmp_path
):
    bad_week = FIRST + timedelta(days=42)

    def fails(task):
        if task.meter.name == "b" and task.until >= bad_week:
            raise ZeroDivisionError("no spread")
        return train_meter(task)

    monkeypatch.setattr("usage_platform.services.train_bucket.train_meter", fails)
    told = []
    result = run(files, reader, told.append)
    assert result.failed == {"b": "ZeroDivisionError: no spread"}
    assert f"b: not trained until {bad_week}: ZeroDivisionError: no spread" in told
    store = ModelStore(files)
    good, bad, last = (store.load(version).detectors for version in result.versions[-3:])
    for later in (bad, last):
        assert list(later) == list(METERS)
        assert later["b"].until == good["b"].until
        assert later["a"].until > good["a"].until
    assert [one.meters_failed for one in store.candidates()][-3:] == [0, 1, 1]


def test_a_new_meter_that_fails_has_no_detector(files, reader, monkeypatch):
    def fails(task):
        if task.meter.name == "b":
            raise ZeroDivisionError
        return train_meter(task)

    monkeypatch.setattr("usage_platform.services.train_bucket.train_meter", fails)
    run(files, reader)
    store = ModelStore(files)
    for one in store.manifests():
        assert list(store.load(one.version).detectors) == ["a", "c", "d", "e"]


def test_where_no_meter_can_be_trained_the_training_fails_in_one_line_and_can_be_repeated(
    files, reader, monkeypatch, tmp_path
):
    def fails(task):
        raise ZeroDivisionError("no spread")

    with monkeypatch.context() as patch:
        patch.setattr("usage_platform.services.train_bucket.train_meter", fails)
        with pytest.raises(
            TrainingError, match=r"^no meter can be trained until 2023-12-31; the fir"
        ):
            run(files, reader)
    assert ModelStore(files).candidates() == []
    run(files, reader)
    run(LakeFiles(str(tmp_path / "other")), reader)
    assert content(files) == content(LakeFiles(str(tmp_path / "other")))


def test_an_unfit_model_is_stored_and_the_next_is_compared_with_the_one_before_it(
    files, reader, monkeypatch
):
    compared = []

    def examine(new, old, instants, values):
        compared.append((new.until, old.until))
        return Examined(weeks=1, alarm_days=99)

    monkeypatch.setattr("usage_platform.core.detector.training.examine", examine)
    result = run(files, reader)
    with_baseline = [
        one.end.value for one in ModelStore(files).candidates() if not one.meters_learning
    ]
    assert set(compared) == {(end, with_baseline[0]) for end in with_baseline[1:]}
    assert result.promoted == result.versions[: 9 - len(with_baseline) + 1]
