"""Which models are due, also after a kill."""

import pandas as pd
import pytest

from usage_platform.adapters.stores.unfinished_training import UnfinishedTraining
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
    end_week = UnfinishedTraining.end_week
    ended = []

    def end_two(self, *args, **kwargs):
        if len(ended) == 2:
            raise KeyboardInterrupt
        ended.append(args)
        return end_week(self, *args, **kwargs)

    due = due_now(platform)
    with monkeypatch.context() as patch:
        patch.setattr(UnfinishedTraining, "end_week", end_two)
        with pytest.raises(BaseException):  # noqa: B017 - Dagster wraps what ends a run
            train(due=True)
    # What is there already is continued with; nobody sees it before all of it is in force.
    assert (store.manifests(), store.candidates()) == ([], [])
    assert due_now(platform) == due
    train(due=True)
    assert store.manifests() == store.candidates()
    assert len(store.manifests()) == 6


def test_before_there_are_readings_nothing_is_due(platform):
    assert due_now(platform) == []
