"""The days that `usage_hourly` and `anomalies` are partitioned by, and the months of the reports.

Daily and not hourly: a year has 365 partitions, not 8,760, and Dagster writes an event for each. A
day is a UTC day, like the Delta tables' partitions, so that a backfill rewrites whole ones. A month
is in each meter's local time.
"""

from collections.abc import Iterable
from datetime import date, timedelta

import dagster as dg

DAILY = dg.DailyPartitionsDefinition(start_date="2010-01-01", end_offset=1)
MONTHLY = dg.MonthlyPartitionsDefinition(start_date="2010-01-01", end_offset=1)
_FIRST_DAY = date(2010, 1, 1)


def month_before(day: date) -> str:
    """The partition of the month before a day's."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1).isoformat()


def partition_keys(days: Iterable[date]) -> list[str]:
    """The partitions of these UTC days; days before the first partition have none."""
    return [day.isoformat() for day in days if day >= _FIRST_DAY]


def days_of(context: dg.AssetExecutionContext) -> tuple[date, date]:
    """The first and the last UTC day of the run's range of partitions."""
    keys = context.partition_key_range
    return date.fromisoformat(keys.start), date.fromisoformat(keys.end)
