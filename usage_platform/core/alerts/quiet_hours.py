"""Quiet hours: the part of each local day in which alerts are held.

Belongs here: when the quiet hours that hold an instant end. Not here: holding (`alert_queue`).
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from usage_platform.core.time.local_time import clock_instant


def end_of_quiet(hours: tuple[int, int], at: datetime, zone: ZoneInfo) -> datetime | None:
    """When the quiet hours that an instant lies in end, UTC; None if it lies in none.

    In spring, a start or an end that the clocks skip is the instant of the change. In autumn, quiet
    hours that begin or end in the hour that comes twice begin the first and end the second time.

    Args:
        hours: Start and end in minutes of the wall clock, the end exclusive; where the end is the
            smaller one, it is that of the next day.
        at: The instant, with a zone.
        zone: The local time of the meter.
    """
    today = at.astimezone(zone).date()
    start, end = hours
    for day in (today - timedelta(days=1), today):
        last = day if end > start else day + timedelta(days=1)
        begins = clock_instant(day, start, zone, is_first=True)
        ends = clock_instant(last, end, zone, is_first=False)
        if begins <= at < ends:
            return ends
    return None
