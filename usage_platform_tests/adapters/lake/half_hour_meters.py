"""Meters in zones whose hours are not those of UTC, their readings, and how tests compare them.

Belongs here: what tests of hours by the clock share. Not here: the naive hours
(`clock_hour_oracle`).
"""

from datetime import date

import numpy as np
import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY
from usage_platform.adapters.lake.usage_events import apply_events
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.validation import RAW_COLUMNS
from usage_platform_tests.clock_hour_oracle import INTEGERS, TIMES, hours_by_the_clock
from usage_platform_tests.oracle import RECEIVED, event

METERS = [
    Meter("kolkata", "Asia/Kolkata", 60),
    Meter("kathmandu", "Asia/Kathmandu", 15),
    Meter("adelaide", "Australia/Adelaide", 30),
    Meter("stjohns", "America/St_Johns", 10),
    Meter("lordhowe", "Australia/Lord_Howe", 20),
    Meter("london", "Europe/London", 30),
]
REGISTRY = MeterRegistry(METERS[0]).with_meters(METERS)
# Days around both changes of the clocks: St John's; Adelaide, Lord Howe; London.
CHANGES = ["2024-03-10", "2024-11-03", "2024-04-06", "2024-10-05", "2024-03-31", "2024-10-27"]


def days_of(change: str) -> tuple[date, date]:
    """The UTC days beside a day, so that all local times of it are between them."""
    day = pd.Timestamp(change)
    return (day - pd.Timedelta(days=1)).date(), (day + pd.Timedelta(days=1)).date()


def readings_around(change: str, meters: list[Meter] = METERS) -> list:
    """All intervals of the days beside a change, of each meter, on its own clock's grid."""
    first, last = days_of(change)
    rng = np.random.default_rng(int(change.replace("-", "")))
    found = []
    for meter in meters:
        end = pd.Timestamp(last) + pd.Timedelta(days=1)
        minutes = pd.date_range(first, end, freq="min", tz="UTC", inclusive="left")
        starts = minutes[minutes.tz_convert(meter.timezone).minute % meter.interval_minutes == 0]
        values = rng.random(len(starts)).tolist()
        found += [event(meter.name, at, value) for at, value in zip(starts, values, strict=True)]
    return found


def apply(lake, events, registry: MeterRegistry = REGISTRY, offset: int = 0) -> None:
    """Apply events as one batch; one of a later batch has a higher offset."""
    places = np.arange(len(events)) + offset
    frame = pd.DataFrame(
        {
            "topic": "usage",
            "partition": np.zeros(len(events), dtype="int32"),
            "offset": places.astype("int64"),
            "kafka_time": pd.Series(RECEIVED + pd.to_timedelta(places, "ms")).astype(
                "datetime64[ns, UTC]"
            ),
            "key": [b""] * len(events),
            "value": [one.payload for one in events],
        }
    )
    batch = apply_events(lake, registry, frame[RAW_COLUMNS])
    assert batch.rejects.empty, batch.rejects["reason"].tolist()


def by_the_clock(lake, registry: MeterRegistry = REGISTRY) -> pd.DataFrame:
    """What `usage_hourly` must hold by the readings that are there."""
    readings = LakeReader(lake).rows(READINGS)
    meters = [registry.get(name) for name in readings["meter"].unique()]
    zones = {meter.name: meter.timezone for meter in meters}
    return hours_by_the_clock(readings, zones, {m.name: m.interval_minutes for m in meters})


def assert_clock_hours(lake, registry: MeterRegistry = REGISTRY) -> None:
    """`usage_hourly` holds the naive hours and no other row, each on the UTC date of its start."""
    expected = by_the_clock(lake, registry)
    rows = LakeReader(lake).rows(USAGE_HOURLY).sort_values(["meter", "start"], ignore_index=True)
    assert (rows["event_date"] == rows["start"].dt.date).all()
    found = rows[expected.columns].astype(INTEGERS | TIMES)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
