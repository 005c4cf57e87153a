"""How many readings a plan plays is known without reading them."""

from datetime import date

import pandas as pd
import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.playback_record import PlaybackRecords
from usage_platform.adapters.stores.source_cache import SourceCache
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import SourceReadings
from usage_platform.services.playback_plan import PlaybackPlan
from usage_platform.services.playback_progress import SourceIdentity

ZONE = "America/New_York"


@pytest.fixture
def cache(lake):
    """Four local days of two meters, the change of the clock within."""
    times = pd.date_range("2024-03-08T05:00Z", "2024-03-12T03:55Z", freq="5min", unit="ns")
    rows = [(meter, ts, 1.0) for ts in times for meter in "ab"]
    frame = pd.DataFrame(rows, columns=["meter", "ts", "value"])
    cache = SourceCache(LakeFiles(lake.assets))
    cache.save("v1", SourceReadings(frame, (), (), 0), Meter())
    return cache


def plan_of(cache, lake, first_day, most):
    records = PlaybackRecords(LakeFiles(lake.assets))
    return PlaybackPlan(cache, records, SourceIdentity("a.csv", "v1", ""), ZONE, first_day, most)


@pytest.mark.parametrize(
    "first_day", [None, date(2024, 3, 8), date(2024, 3, 10), date(2024, 3, 11), date(2025, 1, 1)]
)
@pytest.mark.parametrize("most", [None, 0, 7, 100_000])
def test_the_count_is_that_of_the_readings(cache, lake, first_day, most):
    plan = plan_of(cache, lake, first_day, most)
    assert plan.count() == len(plan.readings())


def test_before_the_first_load_there_is_nothing_to_count(lake):
    plan = plan_of(SourceCache(LakeFiles(lake.assets)), lake, None, None)
    with pytest.raises(FileNotFoundError, match="materialize source_readings first"):
        plan.count()
