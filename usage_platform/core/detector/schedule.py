"""When models are trained: on the days before each Monday, for the days from Tuesday on.

Belongs here: which models are due. The day in between is there so that a model is ready before the
first reading that it is meant for. Not here: training (`detector.train`), schedules (`defs`).
"""

from datetime import date, timedelta

import pandas as pd

from usage_platform.core.time.local_time import local_day_bounds

DAYS_TO_TRAIN = 1
"""From the end of a model's history to the first reading it scores."""

_WEEK = timedelta(days=7)


def due(first: date, newest: date, trained: date | None) -> list[date]:
    """The ends of the histories of all models that can be trained and are not yet, ascending.

    Args:
        first: Local day of the oldest reading.
        newest: Local day of the newest reading.
        trained: The newest end of a history of a model that there is; None while there is none.

    Returns:
        Local days that histories end before. The very first model knows nothing and scores by rules
        from the first reading on; the others end before a Monday each.
    """
    before = first - timedelta(days=DAYS_TO_TRAIN)
    days = [] if trained is not None else [before]
    after = before if trained is None else trained
    monday = _monday_after(after)
    while monday <= newest:
        days.append(monday)
        monday += _WEEK
    return days


def judges_from(until: date, zone: str) -> pd.Timestamp:
    """From when a model scores whose history ends before a local day; UTC."""
    return local_day_bounds(until + timedelta(days=DAYS_TO_TRAIN), zone)[0]


def next_model_from(begin: pd.Timestamp, zone: str) -> pd.Timestamp:
    """From when the next weekly model scores after one that scores from `begin`; UTC."""
    until = begin.tz_convert(zone).date() - timedelta(days=DAYS_TO_TRAIN)
    return judges_from(_monday_after(until), zone)


def _monday_after(day: date) -> date:
    return day + timedelta(days=7 - day.weekday())
