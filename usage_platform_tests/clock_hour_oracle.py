"""The hours of meters, said the naive way: by what the wall clock shows, minute by minute.

Belongs here: the rows of `usage_hourly` that follow from some readings, without the product's rule.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

_MINUTE = timedelta(minutes=1)
INTEGERS = dict.fromkeys(["n", "expected_n"], "int32")
TIMES = dict.fromkeys(["start", "end", "last_reading"], "datetime64[ns, UTC]")


def shown_hour(at: datetime, zone: ZoneInfo) -> tuple:
    """What tells an hour on the clock from any other: the date, the hour, and the time's offset."""
    local = at.astimezone(zone)
    return local.date(), local.hour, local.utcoffset()


def hour_of(at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first minute with the same hour on the clock, and the first one after it."""
    start = end = at.replace(second=0, microsecond=0)
    while shown_hour(start - _MINUTE, zone) == shown_hour(at, zone):
        start -= _MINUTE
    while shown_hour(end, zone) == shown_hour(at, zone):
        end += _MINUTE
    return start, end


def expected_n(start: datetime, end: datetime, zone: ZoneInfo, interval: int) -> int:
    """How many times in an hour the clock shows the beginning of an interval."""
    minutes = range(int((end - start) / _MINUTE))
    shown = [(start + n * _MINUTE).astimezone(zone).minute for n in minutes]
    return sum(minute % interval == 0 for minute in shown)


def hours_by_the_clock(readings: pd.DataFrame, zones: dict, intervals: dict) -> pd.DataFrame:
    """The rows of `usage_hourly`, but `event_date`, `late_n` and `rev`.

    Args:
        readings: `meter`, `event_time`, `value`; a reading once.
        zones: IANA names by meter.
        intervals: Minutes by meter.
    """
    held: dict = {}
    for meter, at, value in readings[["meter", "event_time", "value"]].itertuples(index=False):
        hour = hour_of(at.to_pydatetime(), ZoneInfo(zones[meter]))
        held.setdefault((meter, *hour), []).append((at, value))
    newest = readings.groupby("meter")["event_time"].max()
    rows = []
    for (meter, start, end), own in held.items():
        values = [value for _, value in own]
        kw = sum(round(value * 1e6) for value in values) / 1e6
        rows.append(
            {
                "meter": meter,
                "start": start,
                "end": end,
                "avg_usage": kw / len(values),
                "n": len(values),
                "expected_n": expected_n(start, end, ZoneInfo(zones[meter]), intervals[meter]),
                "min_usage": min(values),
                "max_usage": max(values),
                "energy_kwh": kw * intervals[meter] / 60,
                "is_final": end + timedelta(hours=1) <= newest[meter],
                "last_reading": max(at for at, _ in own),
            }
        )
    frame = pd.DataFrame(rows).astype(INTEGERS | TIMES)
    return frame.sort_values(["meter", "start"], ignore_index=True)
