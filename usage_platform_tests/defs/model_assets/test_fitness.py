"""Which models are fit, and which of them are put in force."""

import dagster as dg
import pytest

from usage_platform.core.detector.gate import Examined
from usage_platform_tests.defs.model_assets.trained import checked, ends, told, why_not


def test_the_first_model_is_fit_as_there_is_nothing_to_compare_with(train, fill):
    fill("m")
    check = checked(train())
    assert check.passed
    assert check.description == "there is nothing to compare with yet"


def test_a_model_is_examined_beside_the_one_before_it(train, fill, store):
    fill("m")
    train(until="2024-02-26")
    result = train()
    check = checked(result)
    said = {key: value.value for key, value in check.metadata.items()}
    assert check.passed
    assert said["version"] == store.manifests()[-1].version
    assert said["injected_faults"] > 10
    assert 0 < said["detected"] <= said["injected_faults"]
    assert said["detected_by_previous_model"] > 0
    assert said["alarm_days_allowed"] == 4 * 0.5


def test_a_model_of_the_past_has_nothing_of_models_that_came_later(train, fill, store):
    fill("a", "b", days=49)
    train(until="2024-02-05")
    train()
    check = checked(train(until="2024-02-08", meters=["b"]))
    oldest, past, _ = (store.load(one.version).detectors for one in store.candidates())
    assert past["a"].until == oldest["a"].until
    # The last one has learned from the very weeks that the one of the past is examined on.
    _, other, _ = store.candidates()
    assert check.metadata["version"].value == other.version
    assert check.metadata["detected_by_previous_model"].value > 0


@pytest.fixture
def unfit(monkeypatch):
    """Let the models that are trained from now on be worse than the one before."""
    from usage_platform.core.detector import training

    worse = Examined(4, 2.0, 20, 1, 28, 3, 25)
    monkeypatch.setattr(training, "examine", lambda *args: worse)


def test_a_model_that_is_not_fit_is_kept_but_not_put_in_force(train, fill, store, unfit):
    fill("m")
    train(until="2024-02-26")
    result = train()
    assert result.success
    check = checked(result)
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert told(result)["promoted"] == 0
    assert ends(store.candidates()) == ["02-26 00:00", "03-04 00:00"]
    assert ends(store.manifests()) == ["02-26 00:00"]


def test_one_that_is_not_fit_is_put_in_force_if_that_is_asked_for(train, fill, store, unfit):
    fill("m")
    train(until="2024-02-26")
    result = train(promote_anyway=True)
    assert not checked(result).passed
    assert told(result)["promoted"] == 1
    assert ends(store.manifests()) == ["02-26 00:00", "03-04 00:00"]


def test_one_that_is_not_fit_is_not_due_again(train, fill, store, unfit):
    fill("m")
    train(due=True)
    assert len(store.manifests()) < len(store.candidates()) == 10
    assert "is there" in why_not(train, due=True)
