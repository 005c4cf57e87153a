"""Slots: the weekday and local time of day of a reading.

Belongs here: from an instant to its slot. On the day that the clock goes forward a few slots have
no reading; on the day that it goes back a few have two.
"""

import pandas as pd

from usage_platform.core.meters import Meter

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def slots_per_week(meter: Meter) -> int:
    """How many slots a week has: 2,016 for 5-minute intervals."""
    return 7 * 24 * meter.readings_per_hour


def slots_of(event_time: pd.Series, meter: Meter) -> pd.Series:
    """The slot of each instant, counted from Monday 00:00 local time.

    Args:
        event_time: Interval starts, datetime64[ns, UTC].
        meter: Gives the time zone and the interval.

    Returns:
        int64, 0 to `slots_per_week(meter) - 1`, with the index of `event_time`.
    """
    local = event_time.dt.tz_convert(meter.timezone)
    minutes = local.dt.hour * 60 + local.dt.minute
    per_day = 24 * meter.readings_per_hour
    slots = local.dt.weekday * per_day + minutes // meter.interval_minutes
    return slots.astype("int64")


def slot_label(slot: int, meter: Meter) -> str:
    """A slot for people: `Tue 13:05`."""
    day, step = divmod(slot, 24 * meter.readings_per_hour)
    hour, minute = divmod(step * meter.interval_minutes, 60)
    return f"{_WEEKDAYS[day]} {hour:02d}:{minute:02d}"
