"""The nightly upkeep removes models that score nothing, and no other."""

import dagster as dg
import pandas as pd

from usage_platform.core.detector.manifest import Model
from usage_platform.core.meters import Meter
from usage_platform.defs.resources import PlatformResource
from usage_platform.defs.upkeep import remove_useless_models
from usage_platform_tests.core.detector.made_manifest import manifest
from usage_platform_tests.core.detector.made_models import cut_forests


def test_upkeep_removes_models_that_score_nothing_any_more(tmp_path, monkeypatch):
    monkeypatch.setenv("USAGE_DATA", str(tmp_path))
    platform = PlatformResource()
    store = platform.deployment.models
    for version, begin in (("unfit", "2024-01-02"), ("old", "2024-01-09"), ("new", "2024-01-16")):
        detectors = {"m": cut_forests(Meter("m", interval_minutes=60))}
        store.save(Model(manifest(version, pd.Timestamp(begin, tz="UTC")), detectors))
    store.promote(["old", "new"])
    context = dg.build_op_context()
    remove_useless_models(context, platform)
    assert [one.version for one in store.candidates()] == ["old", "new"]
    assert context.get_output_metadata("result")["models_removed"] == 1
    assert context.get_output_metadata("result")["bytes_freed"] > 0
