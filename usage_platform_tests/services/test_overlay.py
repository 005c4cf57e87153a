"""Several meters from the lake: short spans of readings, others of hours."""

import math

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY
from usage_platform.core.load.overlay import OverlayUnit
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.hourly import audited_hours
from usage_platform.services.overlay import Overlay, overlay

START = pd.Timestamp("2024-03-30T18:00Z")
"""The clocks of Rome change within the next day."""
METERS = (Meter("pump", "Europe/Rome", 15), Meter("kitchen", "Asia/Kolkata", 5))


@pytest.fixture
def readings(lake, write_table) -> pd.DataFrame:
    """Ten days of two meters with a tenth of the readings missing, and their hours."""
    random = np.random.default_rng(5)
    parts = []
    for meter in METERS:
        step = f"{meter.interval_minutes}min"
        times = pd.date_range(START, periods=10 * 24 * meter.readings_per_hour, freq=step)
        rows = pd.DataFrame({"meter": meter.name, "event_time": times})
        rows["value"] = random.uniform(-2, 90, len(times)).round(3)
        parts.append(rows[random.random(len(times)) > 0.1])
    frame = pd.concat(parts, ignore_index=True).astype({"event_time": "datetime64[ns, UTC]"})
    write_table(lake, READINGS, frame.assign(event_date=frame["event_time"].dt.date))
    registry = MeterRegistry(METERS[0]).with_meters(METERS)
    newest = frame.groupby("meter")["event_time"].max()
    hours = audited_hours(frame.assign(late=False), registry, newest)
    write_table(lake, USAGE_HOURLY, hours.assign(event_date=hours["start"].dt.date))
    return frame


def shown(lake, days: float) -> Overlay:
    span = START.value, (START + pd.Timedelta(days=days)).value
    return overlay(LakeReader(lake), METERS, OverlayUnit.KW, {}, span)


@pytest.mark.parametrize(("days", "minutes"), [(1, 15), (10, 15), (40, 30), (80, 60)])
def test_the_lines_are_the_means_of_the_readings_whatever_the_step(lake, readings, days, minutes):
    found = shown(lake, days)
    assert found.step_minutes == minutes
    starts = pd.to_datetime(found.starts, utc=True)
    for line in found.lines:
        own = readings[readings["meter"] == line.meter.name]
        own = own[own["event_time"] < START + pd.Timedelta(days=days)]
        means = own.groupby(own["event_time"].dt.floor(f"{minutes}min"))["value"].mean()
        np.testing.assert_allclose(line.power, means.reindex(starts), rtol=1e-9)
        hours = line.meter.interval_minutes / 60
        assert line.energy_kwh == pytest.approx(math.fsum(own["value"]) * hours)
        assert line.readings == len(own)
        # After the newest reading of all meters none is missing yet.
        whole = min(days, 10) * 24 * line.meter.readings_per_hour
        assert whole - 2 <= line.expected_readings <= whole


def test_before_the_first_micro_batch_there_are_lines_without_a_value(lake):
    found = shown(lake, 1)
    assert [line.readings for line in found.lines] == [0, 0]
    assert all(np.isnan(line.power).all() for line in found.lines)


def test_a_long_span_is_shown_by_local_days_that_are_wholly_in_it(lake, readings):
    found = shown(lake, 100)
    assert found.step_minutes == 1440
    for line in found.lines:
        # The chart begins on 30 March at 19:00 in Rome.
        assert np.isnan(line.power[0])
        assert np.isfinite(line.power[1:10]).all()
        # What is not drawn is counted all the same, but for an hour that begins before the chart.
        own = readings[readings["meter"] == line.meter.name]
        begin = START + pd.Timedelta(minutes=30 if line.meter.name == "kitchen" else 0)
        assert line.readings == (own["event_time"] >= begin).sum()


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"])
def test_hourly_readings_of_a_half_hour_zone_are_in_the_hours_of_its_clock(lake, write_table, zone):
    meter = Meter("hall", zone, 60)
    minutes = pd.date_range("2024-04-05", "2024-04-08", freq="min", tz="UTC")
    times = minutes[minutes.tz_convert(zone).minute == 0].as_unit("ns")
    rows = pd.DataFrame(
        {"meter": "hall", "event_time": times, "value": np.arange(len(times)) + 1.0}
    )
    registry, newest = MeterRegistry(meter), pd.Series({"hall": times[-1]})
    hours = audited_hours(rows.assign(late=False), registry, newest)
    write_table(lake, USAGE_HOURLY, hours.assign(event_date=hours["start"].dt.date))
    span = times[3].value, times[40].value
    found = overlay(LakeReader(lake), [meter], OverlayUnit.KW, {}, span)
    there = ~np.isnan(found.lines[0].power)
    assert found.step_minutes == 60
    assert pd.to_datetime(found.starts[there], utc=True).tolist() == times[3:40].tolist()
    np.testing.assert_array_equal(found.lines[0].power[there], rows["value"][3:40])
