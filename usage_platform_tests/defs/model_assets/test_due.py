"""Which models are due, also after a kill."""

import pandas as pd
import pytest

from usage_platform.services.due_models import due_models
from usage_platform_tests.core.detector.series import HOURLY
from usage_platform_tests.defs.model_assets.trained import begins, ends, told, why_not


def due_now(platform):
    deployment = platform.deployment
    return due_models(deployment.reader, deployment.models, deployment.settings.timezone)


def test_all_that_are_due_are_trained_and_then_none_is(train, fill, store):
    fill("m")
    assert told(train(due=True))["models"] == 10
    # The very first one knows nothing, and judges from the first reading on.
    assert begins(store.manifests())[:3] == ["01-01 00:00", "01-02 00:00", "01-09 00:00"]
    assert ends(store.manifests())[-1] == "02-26 00:00"
    assert "every model that the readings allow is there" in why_not(train, due=True)
    fill("m", days=2, since=pd.Timestamp("2024-03-04", tz=HOURLY.timezone).tz_convert("UTC"))
    train(due=True)
    assert len(store.candidates()) == 11
    assert ends(store.manifests())[-1] == "03-04 00:00"


def test_after_a_kill_between_two_models_the_rest_is_due_again(
    train, fill, store, platform, monkeypatch
):
    fill("m", days=29)
    save = type(store).save
    saved = []

    def save_two(self, model):
        if len(saved) == 2:
            raise KeyboardInterrupt
        saved.append(model.manifest.version)
        return save(self, model)

    with monkeypatch.context() as patch:
        patch.setattr(type(store), "save", save_two)
        with pytest.raises(BaseException):  # noqa: B017 - Dagster wraps what ends a run
            train(due=True)
    # What is there is in force: the stream waits at the next one's time, which is due.
    assert [one.version for one in store.manifests()] == saved
    assert [one.version for one in store.candidates()] == saved
    assert [str(day) for day in due_now(platform)] == [
        "2024-01-08",
        "2024-01-15",
        "2024-01-22",
        "2024-01-29",
    ]
    train(due=True)
    assert store.manifests() == store.candidates()
    assert len(store.manifests()) == 6


def test_before_there_are_readings_nothing_is_due(platform):
    assert due_now(platform) == []
