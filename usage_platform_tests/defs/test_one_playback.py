"""The asset `usage` plays only under its lease; test_playback_lease has what the lease does."""

import dagster as dg
import pytest

from usage_platform.adapters.kafka.playback_lease import PlaybackLease
from usage_platform.adapters.kafka.topics import USAGE, end_offsets
from usage_platform.defs import source_assets
from usage_platform.defs.source_assets import PlaybackConfig, usage
from usage_platform_tests.defs.conftest import Platform

pytestmark = pytest.mark.kafka

FAST = PlaybackConfig(accelerator=0)


def test_the_asset_is_refused_and_plays_nothing_while_another_playback_has_the_lease(
    kafka, instance, tmp_path, monkeypatch
):
    platform = Platform(tmp_path, kafka_bootstrap=kafka.bootstrap)
    played = len(platform.load())

    def hurried(*args):
        return PlaybackLease(*args, wait=1.0)

    monkeypatch.setattr(source_assets, "PlaybackLease", hurried)
    context = dg.build_asset_context(instance=instance)
    with PlaybackLease(kafka, "other:/data", wait=60.0):
        with pytest.raises(dg.Failure) as refused:
            usage(context, FAST, platform)
        assert (
            f"{kafka.bootstrap} runs already, started by other:/data" in refused.value.description
        )
        assert end_offsets(kafka, USAGE) == {0: (0, 0)}
    usage(context, FAST, platform)
    assert end_offsets(kafka, USAGE) == {0: (0, played)}
