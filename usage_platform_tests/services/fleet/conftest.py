"""The readings of three meters, and caches of their rows."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.stores.groups import GroupsStore
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.adapters.stores.reviews import ReviewStore
from usage_platform.services.fleet import FleetCache, FleetSource
from usage_platform_tests.services.fleet.three_meters import (
    END,
    METERS,
    REGISTRY,
    START,
)


@pytest.fixture(scope="session")
def readings() -> pd.DataFrame:
    """Forty days of three meters with a tenth of the readings missing, and two hours of each."""
    random = np.random.default_rng(7)
    parts = []
    for meter in METERS.values():
        times = pd.date_range(START, END, freq=f"{meter.interval_minutes}min", inclusive="left")
        there = (random.random(len(times)) > 0.03) & (times.hour != 3 + meter.interval_minutes % 7)
        values = random.uniform(1, 1000, len(times)).round(3)
        rows = pd.DataFrame({"meter": meter.name, "event_time": times, "value": values})
        parts.append(rows[there])
    frame = pd.concat(parts, ignore_index=True)
    return frame.astype({"event_time": "datetime64[ns, UTC]"})


@pytest.fixture
def cache_of(lake) -> Callable[..., FleetCache]:
    """Makes a cache on the lake of the test; each call of its clock is a minute later."""
    seconds = iter(range(0, 10**6, 60))

    def make(groups: str = "", now: pd.Timestamp = END) -> FleetCache:
        assets = LakeFiles(lake.assets)
        if groups:
            assets.write_text("groups.yaml", groups)
        source = FleetSource(
            reader=LakeReader(lake),
            models=ModelStore(LakeFiles(lake.models)),
            registry=lambda: REGISTRY,
            reviews=ReviewStore(assets),
            groups=GroupsStore(assets),
            clock=lambda: float(next(seconds)),
            now=lambda: now.value,
        )
        return FleetCache(source, patience_seconds=None)

    return make
