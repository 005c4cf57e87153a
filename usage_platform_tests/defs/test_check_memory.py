"""Checks find the same when they hold a few rows at a time as when they hold whole tables."""

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.core.readings.quality import day_counts, days_that_lack
from usage_platform.core.time.calendar import Calendar
from usage_platform.defs import checks
from usage_platform.defs.resources import PlatformResource
from usage_platform.services import check_days, slow_changes
from usage_platform.services.check_days import find_incomplete_days

METERS = ("a", "b", "c")
DAYS = 12


@pytest.fixture
def platform(tmp_path, monkeypatch) -> PlatformResource:
    monkeypatch.setenv("USAGE_DATA", str(tmp_path))
    monkeypatch.setenv("USAGE_INTERVAL_MINUTES", "60")
    monkeypatch.setenv("USAGE_TIMEZONE", "America/New_York")
    return PlatformResource()


@pytest.fixture
def lake(platform):
    return platform.deployment.lake


@pytest.fixture
def frames(monkeypatch):
    """The frames that are read, by their numbers of rows and meters."""
    read: list[tuple[int, int]] = []
    rows = LakeReader.rows

    def noted(*args, **kwargs):
        found = rows(*args, **kwargs)
        if "meter" in found:
            read.append((len(found), found["meter"].nunique()))
        return found

    monkeypatch.setattr(LakeReader, "rows", noted)
    return read


def with_gaps():
    times = pd.date_range("2024-03-04T05:00Z", periods=24 * DAYS, freq="h", unit="ns")
    rows = pd.DataFrame(
        {
            "meter": np.repeat(METERS, len(times)),
            "event_time": np.tile(times, len(METERS)),
            "value": 1.0,
        }
    )
    # Of an hour at night, of two days, and of the day on which the clock is set forward.
    gone = [30, *range(24 * DAYS + 60, 24 * DAYS + 120), 48 * DAYS + 24 * 6 + 3]
    return rows.drop(index=gone)


def test_incomplete_days_are_found_stretch_by_stretch(platform, fill, lake, frames, monkeypatch):
    fill(with_gaps())
    deployment = platform.deployment
    registry = deployment.registry()
    hours = deployment.reader.rows(check_days.USAGE_HOURLY)
    whole = days_that_lack(day_counts(hours, registry), registry)
    assert len(whole) > 4
    frames.clear()
    monkeypatch.setattr(check_days, "ROWS_AT_ONCE", 150)
    monkeypatch.setattr(check_days, "METERS_AT_ONCE", 2)
    found = find_incomplete_days(deployment.reader, deployment.registry())
    key = ["meter", "day"]
    pd.testing.assert_frame_equal(
        found.sort_values(key, ignore_index=True), whole.sort_values(key, ignore_index=True)
    )
    frames.clear()
    assert checks.hours_complete(platform).metadata["incomplete_days"].value == len(whole)
    assert len(frames) > 1
    assert max(rows for rows, _ in frames) <= 150


def test_slow_changes_are_looked_for_some_meters_at_a_time(platform, fill, frames, monkeypatch):
    fill(with_gaps())
    deployment = platform.deployment
    monkeypatch.setattr(slow_changes, "METERS_AT_ONCE", 2)
    found = slow_changes.slow_changes_by_meter(deployment.reader, deployment.registry(), Calendar())
    assert list(found) == list(METERS)
    assert [meters for _, meters in frames] == [2, 1]
