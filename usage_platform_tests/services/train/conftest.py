"""The lake of five meters, an empty store, and buckets of two meters."""

import pandas as pd
import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS
from usage_platform_tests.services.train.library_meters import (
    METERS,
    readings,
)


@pytest.fixture
def reader(lake, write_table) -> LakeReader:
    write_table(lake, READINGS, pd.concat([readings(m, n) for n, m in enumerate(METERS)]))
    return LakeReader(lake)


@pytest.fixture(autouse=True)
def small_buckets(monkeypatch):
    monkeypatch.setattr("usage_platform.services.train_weeks.BUCKET_METERS", 2)


@pytest.fixture
def files(tmp_path) -> LakeFiles:
    return LakeFiles(str(tmp_path / "models"))
