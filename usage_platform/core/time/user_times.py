"""Moments as people write them: a local time, an instant with an offset, or how long ago.

Belongs here: what commands are given. Not here: times of readings, which are checked row by row
(`reading_rows`, `wire`).
"""

import re
from datetime import datetime, timedelta

import pandas as pd

from usage_platform.core.time.local_time import to_utc

_SPAN = re.compile(r"(\d{1,4}) ?(min|h|d|w)", re.ASCII)
_UNITS = {"min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class SkippedTimeError(ValueError):
    """A local time that does not exist; one line that says so."""


def parse_instant(text: str, timezone: str) -> pd.Timestamp:
    """The instant that a person means.

    In autumn the hour that comes twice is its first one, unless an offset says another.

    Args:
        text: ISO 8601; a day is its midnight.
        timezone: IANA name of the local time of a text without an offset.

    Returns:
        In UTC.

    Raises:
        ValueError: In one line, for what is no time.
        SkippedTimeError: For one that the clocks skip in spring.
    """
    try:
        clock = pd.Timestamp(datetime.fromisoformat(text)).as_unit("ns")
    except ValueError:  # As for years that nanoseconds do not reach.
        raise ValueError(f"expected a time like 2024-03-05T13:00, got {text!r}") from None
    if clock.tzinfo is not None:
        return clock.tz_convert("UTC")
    instant = to_utc(pd.Series([clock]), timezone).iloc[0]
    if pd.isna(instant):
        raise SkippedTimeError(f"{text} is skipped by the clock change; give another time")
    return instant


def since(text: str, now: pd.Timestamp, timezone: str) -> pd.Timestamp:
    """The instant from which on a person wants to see something.

    Args:
        text: As for `parse_instant`, or a span back from now: 90min, 36h, 7d, 2w; a day has 24
            hours.
        now: The current time.
        timezone: As for `parse_instant`.

    Returns:
        In UTC.

    Raises:
        ValueError: As for `parse_instant`.
    """
    span = _SPAN.fullmatch(text)
    if span is not None:
        return now.tz_convert("UTC") - timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        return parse_instant(text, timezone)
    except SkippedTimeError:
        raise
    except ValueError as error:
        raise ValueError(f"{error}; a span such as 36h or 7d counts back from now") from None
