"""The check of hours compares whole hours, also where they reach over the days of UTC."""

import pandas as pd
import pytest

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import USAGE_HOURLY
from usage_platform.services import check_days
from usage_platform.services.check_days import find_wrong_hours
from usage_platform_tests.adapters.lake.half_hour_meters import (
    REGISTRY,
    apply,
    readings_around,
)
from usage_platform_tests.adapters.lake.test_clock_hours import as_a_former_version_left_it


def checked(lake):
    now = pd.Timestamp.now(tz="UTC")
    return find_wrong_hours(LakeReader(lake), REGISTRY, None, lambda: None, lambda: now)


@pytest.mark.parametrize("rows_at_once", [1, 10**6])
def test_right_hours_are_right_day_by_day_and_all_at_once(lake, monkeypatch, rows_at_once):
    monkeypatch.setattr(check_days, "ROWS_AT_ONCE", rows_at_once)
    create_tables(lake)
    apply(lake, readings_around("2024-10-05"))
    found = checked(lake)
    assert (found.compared, found.wrong) == (LakeReader(lake).state(USAGE_HOURLY).rows, 0)


def test_hours_of_a_former_version_are_wrong(lake):
    create_tables(lake)
    apply(lake, readings_around("2024-10-05"))
    as_a_former_version_left_it(lake)
    assert checked(lake).wrong > 0
