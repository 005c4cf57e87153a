"""When the weekly mail of a target is due.

Belongs here: the last time at which one was due. Not here: what it says (`weekly_summary`), which
ones were sent (`adapters.stores.weekly_record`).
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from usage_platform.core.alerts.routes import Weekly
from usage_platform.core.time.local_time import clock_instant


def last_due(weekly: Weekly, now: datetime, zone: ZoneInfo) -> datetime:
    """The last instant up to now at which the mail was due, UTC.

    A time that the clocks skip is the instant of their change, one that comes twice the first.

    Args:
        weekly: The day of the week and the time of day.
        now: The current time, with a zone.
        zone: The local time.
    """
    today = now.astimezone(zone).date()
    day = today - timedelta(days=(today.weekday() - weekly.day) % 7)
    due = clock_instant(day, weekly.minute, zone, is_first=True)
    if due <= now:
        return due
    return clock_instant(day - timedelta(days=7), weekly.minute, zone, is_first=True)
