"""Which models of a store judge: those that were promoted, in the order of their times."""

from datetime import date
from pathlib import Path

import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.models import ModelStore
from usage_platform_tests.adapters.stores.made_forests import (
    FEBRUARY,
    MARCH,
    made_forests,
    model,
)


@pytest.fixture(scope="module")
def forests():
    return made_forests()


@pytest.fixture
def files(lake) -> LakeFiles:
    return LakeFiles(lake.models)


@pytest.fixture
def three(files, forests) -> ModelStore:
    """Three models of two times, the later one saved first; none in force."""
    store = ModelStore(files)
    store.save(model(forests, "late", MARCH, "2024-03-02"))
    store.save(model(forests, "again", FEBRUARY, "2024-03-03"))
    store.save(model(forests, "early", FEBRUARY, "2024-02-02"))
    return store


def test_models_stand_by_the_time_from_which_they_judge_then_by_training(three):
    assert [m.version for m in three.candidates()] == ["early", "again", "late"]
    assert three.newest_end("UTC") == date(2024, 2, 29)
    assert three.newest_end("America/New_York") == date(2024, 2, 28)


def test_a_model_judges_only_once_it_was_promoted(three, files):
    assert three.manifests() == []
    three.promote(["late", "early"])
    assert [m.version for m in three.manifests()] == ["early", "late"]
    assert [m.version for m in ModelStore(files).manifests()] == ["early", "late"]
    three.promote(["late"])
    assert three.promoted() == ["late", "early"]


def test_what_is_not_in_the_store_cannot_be_promoted_and_nothing_changes(three):
    three.promote(["early"])
    with pytest.raises(FileNotFoundError, match=r"^model other: not in the store$"):
        three.promote(["late", "other"])
    assert three.promoted() == ["early"]


def test_the_model_promoted_last_is_taken_back_first_but_never_the_only_one(three):
    assert three.take_back() is None
    three.promote(["late", "early"])
    assert three.take_back() == "early"
    assert three.take_back() is None
    assert [m.version for m in three.manifests()] == ["late"]
    assert len(three.candidates()) == 3
    three.promote(["early"])
    assert three.promoted() == ["late", "early"]


def test_a_removed_model_is_gone_and_the_others_stay(lake, three):
    three.promote(["early", "late"])
    three.remove("early")
    assert [m.version for m in three.candidates()] == ["again", "late"]
    assert [m.version for m in three.manifests()] == ["late"]
    assert not Path(lake.models, "early").exists()


def test_an_empty_store_has_no_model(files):
    store = ModelStore(files)
    assert store.candidates() == store.manifests() == store.promoted() == []
    assert store.newest_end("UTC") is None
