"""Three meters of other zones and intervals, their groups, and their hours in a lake."""

import pandas as pd

from usage_platform.adapters.lake.tables import USAGE_HOURLY, Lake
from usage_platform.core.fleet.meter_row import MeterRow
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.hourly import audited_hours
from usage_platform.services.fleet import Fleet
from usage_platform_tests.conftest import table_writer

START, END = pd.Timestamp("2024-02-20T00:00Z"), pd.Timestamp("2024-03-31T14:00Z")
"""The change of clocks in Rome is within the last hours."""
HOUR_END = END - pd.Timedelta(hours=1)
"""Two of the meters have an hour that begins in the last hour of UTC and is going on."""
WEEK, MONTH = HOUR_END - pd.Timedelta(days=7), HOUR_END - pd.Timedelta(days=30)
METERS = {
    name: Meter(name, zone, interval)
    for name, zone, interval in (
        ("main", "Europe/Rome", 60),
        ("kitchen", "Asia/Kolkata", 15),
        ("pump", "America/St_Johns", 30),
    )
}
REGISTRY = MeterRegistry(METERS["main"]).with_meters([*METERS.values(), Meter("planned")])
GROUPS = """
sites:
  - name: North
    buildings:
      - {name: Library, area_m2: 100, meters: [main]}
      - {name: Depot, meters: [kitchen, {meter: pump, from: 2024-03-10}]}
virtual:
  - {name: rest, plus: [main], minus: [kitchen, pump]}
"""


def write_hours(lake: Lake, readings: pd.DataFrame) -> pd.DataFrame:
    newest = readings.groupby("meter")["event_time"].max()
    hours = audited_hours(readings.assign(late=False), REGISTRY, newest)
    table_writer(lake, USAGE_HOURLY, hours.assign(event_date=hours["start"].dt.date))
    return hours


def row_of(fleet: Fleet, name: str) -> MeterRow:
    return next(row for row in fleet.meters if row.name == name)
