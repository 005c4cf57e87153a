"""What a training of the asset `slot_forests` says, and which models are there."""

import dagster as dg
import pytest

from usage_platform.core.detector.manifest import Manifest
from usage_platform_tests.core.detector.series import HOURLY


def told(result) -> dict:
    (event,) = result.asset_materializations_for_node("slot_forests")
    return {key: value.value for key, value in event.metadata.items()}


def checked(result) -> dg.AssetCheckEvaluation:
    (check,) = result.get_asset_check_evaluations()
    assert check.check_name == "model_is_fit"
    return check


def why_not(train, **config) -> str:
    """The one line that a failed training says."""
    with pytest.raises(dg.Failure) as caught:
        train(**config)
    assert not caught.value.allow_retries
    assert "\n" not in caught.value.description
    return caught.value.description


def ends(manifests: list[Manifest]) -> list[str]:
    return [f"{one.end.tz_convert(HOURLY.timezone):%m-%d %H:%M}" for one in manifests]


def begins(manifests: list[Manifest]) -> list[str]:
    return [f"{one.begin.tz_convert(HOURLY.timezone):%m-%d %H:%M}" for one in manifests]
