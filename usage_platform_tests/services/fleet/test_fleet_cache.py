"""The rows of a fleet that are kept: what is read again, and when a request waits for it."""

import math
import threading

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import USAGE_HOURLY
from usage_platform.core.readings.hourly import hourly_from_readings
from usage_platform_tests.services.fleet.three_meters import (
    END,
    HOUR_END,
    METERS,
    REGISTRY,
    WEEK,
    row_of,
    write_hours,
)
from usage_platform_tests.topics import until


def test_new_hours_change_the_sums_and_only_their_days_are_read(
    lake, cache_of, readings, monkeypatch
):
    early = readings[readings["event_time"] < END - pd.Timedelta(hours=2)]
    write_hours(lake, early)
    cache = cache_of()
    before = cache.fleet()
    assert cache.fleet() is before
    scanned: list[object] = []
    scan = LakeReader.scan

    def counted(self, table, columns, chosen):
        if table is USAGE_HOURLY:
            scanned.append(chosen)
        return scan(self, table, columns, chosen)

    monkeypatch.setattr(LakeReader, "scan", counted)
    late = readings[readings["event_time"] >= END - pd.Timedelta(hours=2)]
    write_hours(lake, late)
    after = cache.fleet()
    # Today, and the days at the start of the week and of the month, which lose two hours.
    assert len(scanned) == 3
    whole = hourly_from_readings(readings, REGISTRY)
    for name in METERS:
        own = whole[(whole["meter"] == name) & whole["start"].between(WEEK, HOUR_END, "left")]
        assert row_of(after, name).week.kwh == pytest.approx(math.fsum(own["energy_kwh"]), rel=1e-9)
    fresh = cache_of().fleet()
    for kept, new in zip(after.meters, fresh.meters, strict=True):
        np.testing.assert_array_equal(kept.line, new.line)
        assert kept.month.kwh == pytest.approx(new.month.kwh, rel=1e-12, nan_ok=True)


def test_a_request_gets_the_rows_that_are_there_while_newer_ones_are_made(
    lake, cache_of, readings, monkeypatch
):
    write_hours(lake, readings)
    cache = cache_of()
    monkeypatch.setattr(cache, "_patience", 0.0)
    before = cache.fleet()
    may_read = threading.Event()
    rows = LakeReader.rows

    def delayed(self, *args, **kwargs):
        may_read.wait(60)
        return rows(self, *args, **kwargs)

    monkeypatch.setattr(LakeReader, "rows", delayed)
    more = pd.DataFrame({"meter": "pump", "event_time": [END], "value": [1.0]})
    write_hours(lake, more.astype({"event_time": "datetime64[ns, UTC]"}))
    assert cache.fleet() is cache.fleet() is before
    may_read.set()
    until(lambda: row_of(cache.fleet(), "pump").newest == END.value)


def test_a_lake_that_fails_is_an_error_and_read_again(lake, cache_of, readings, monkeypatch):
    write_hours(lake, readings)
    cache = cache_of()

    def failed(self, *args, **kwargs):
        raise LakeError("the lake is away")

    with monkeypatch.context() as broken:
        broken.setattr(LakeReader, "scan", failed)
        for _ in range(2):
            with pytest.raises(LakeError, match="the lake is away"):
                cache.fleet()
    assert row_of(cache.fleet(), "main").newest is not None


def test_a_reported_silence_lasts_until_the_meter_delivers(lake, cache_of, readings):
    write_hours(lake, readings)
    cache = cache_of()
    assert not row_of(cache.fleet(), "pump").is_silent
    cache.note_silence("pump", END.value)
    assert row_of(cache.fleet(), "pump").is_silent
    more = pd.DataFrame({"meter": "pump", "event_time": [END], "value": [1.0]})
    write_hours(lake, more.astype({"event_time": "datetime64[ns, UTC]"}))
    assert not row_of(cache.fleet(), "pump").is_silent
