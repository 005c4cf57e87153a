"""The parts of a group in a half-hour zone are stacked by the hours of its own clock."""

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import USAGE_HOURLY
from usage_platform.adapters.stores.groups import groups_in
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.hourly import audited_hours
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.services.group_stack import group_stack

GROUPS = """
sites:
  - name: North
    buildings:
      - {name: Library, meters: [main, {meter: pump, from: 2024-03-03}]}
"""
FIRST, DAYS = pd.Timestamp("2024-03-01").date(), 40


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns"])
@pytest.mark.parametrize(("days", "minutes"), [(7, 60), (DAYS, 1440)])
def test_hours_and_days_are_those_of_the_clock(lake, write_table, zone, days, minutes):
    registry = MeterRegistry(Meter("main", zone, 15)).with_meters([Meter("pump", zone, 60)])
    begin = local_day_bounds(FIRST, zone)[0]
    parts = []
    for meter, kw in (("main", 10.0), ("pump", 1.0)):
        step = registry.get(meter).interval_minutes
        times = pd.date_range(begin, periods=DAYS * 24 * 60 // step, freq=f"{step}min", unit="ns")
        local = times.tz_convert(zone)
        rows = pd.DataFrame({"meter": meter, "event_time": times, "value": kw * local.hour})
        parts.append(rows.astype({"value": "float64"}))
    readings = pd.concat(parts, ignore_index=True)
    newest = readings.groupby("meter")["event_time"].max()
    hours = audited_hours(readings.assign(late=False), registry, newest)
    write_table(lake, USAGE_HOURLY, hours.assign(event_date=hours["start"].dt.date))

    group = groups_in(GROUPS, "groups.yaml", ["main", "pump"], registry).groups[1]
    end = local_day_bounds((pd.Timestamp(FIRST) + pd.Timedelta(days=days)).date(), zone)[0]
    found = group_stack(LakeReader(lake), registry, group, (begin.value, end.value))
    shown = pd.to_datetime(found.hours, utc=True).tz_convert(zone)
    assert (shown[0], set(shown.minute)) == (begin, {0})
    assert found.stack.is_whole.all()
    main, pump = (layer.kw for layer in sorted(found.stack.layers, key=lambda one: one.name))
    np.testing.assert_allclose(main, 10.0 * shown.hour)
    # The pump belongs to the group from its own first local day on.
    is_member = shown >= pd.Timestamp("2024-03-03", tz=zone)
    np.testing.assert_allclose(np.nan_to_num(pump), np.where(is_member, shown.hour, 0.0))
    assert found.step_minutes == minutes
    if minutes == 1440:
        assert found.is_whole_step.all()
        assert len(found.starts) == days
