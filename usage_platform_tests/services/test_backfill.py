"""A backfill of many days reads some of them at a time. No JVM is needed."""

from datetime import date, timedelta

import pandas as pd

from usage_platform.adapters.lake.tables import READINGS
from usage_platform.services import backfill
from usage_platform.services.backfill import recompute_range

FIRST = date(2024, 1, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(6)]


def test_days_are_recomputed_in_stretches_that_fit_and_those_not_asked_for_are_not(
    lake, write_table, monkeypatch
):
    times = [pd.Timestamp(day, tz="UTC") for day in DAYS]
    write_table(lake, READINGS, pd.DataFrame({"event_time": times, "event_date": DAYS}))
    ranges, said = [], []

    def recomputed(spark, lake, registry, first, last):
        ranges.append((first, last))
        return (last - first).days + 1

    monkeypatch.setattr(backfill, "_ROWS_AT_ONCE", 2)
    monkeypatch.setattr(backfill, "recompute_days", recomputed)
    hours = recompute_range(None, lake, None, DAYS[1], DAYS[5] + timedelta(days=90), said.append)
    assert ranges == [(DAYS[1], DAYS[2]), (DAYS[3], DAYS[4]), (DAYS[5], DAYS[5])]
    assert hours == 5
    assert said[-1] == "recomputed 2024-01-06 to 2024-01-06"
