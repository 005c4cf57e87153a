"""Cron expressions of the settings.

Belongs here: which expressions are valid. Not here: the schedules (`defs.schedules`).

Dagster refuses an invalid expression when it loads the definitions, which takes all sensors and
jobs down with it. The settings may not import Dagster, so that this is the part of its syntax that
means the same in every cron: a test compares the two.
"""

import re

_ALIASES = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MINUTES, _HOURS, _MONTH_DAYS = (0, 59), (0, 23), (1, 31)
_PART = re.compile(
    r"(?:\*|(?P<first>[0-9]{1,2}|[a-z]{3})(?:-(?P<last>[0-9]{1,2}|[a-z]{3}))?)"
    r"(?:/(?P<step>[1-9][0-9]?))?",
    re.ASCII,
)
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_EXPECTED = "expected a cron expression of five fields such as 0 3 * * 1"


def valid_cron(text: str) -> str:
    """An expression that Dagster takes, and whose time comes.

    Args:
        text: Minute, hour, day of the month, month and day of the week (0 or 7 is Sunday), or an
            alias such as `@daily`.

    Raises:
        ValueError: In one line, when it is none.
    """
    if text in _ALIASES:
        return text
    fields = text.lower().split()
    if len(fields) != 5:
        raise ValueError(_EXPECTED)
    minute, hour, day, month, weekday = fields
    _values(minute, _MINUTES)
    _values(hour, _HOURS)
    days = _values(day, _MONTH_DAYS)
    months = _values(month, (1, 12), {name: n for n, name in enumerate(_MONTHS, 1)})
    _values(weekday, (0, 7), {name: n for n, name in enumerate(_DAYS)})
    longest = max(_LONGEST_MONTHS[number - 1] for number in months)
    if min(days) > longest:
        raise ValueError(f"day {min(days)} comes in none of its months")
    return text


def _values(field: str, limits: tuple[int, int], names: dict[str, int] | None = None) -> set[int]:
    """The numbers that a field names.

    Raises:
        ValueError: When it is no field of these limits.
    """
    low, high = limits
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(_EXPECTED)
        first = low if match["first"] is None else _number(match["first"], names or {})
        step = int(match["step"] or 1)
        if match["last"] is not None:
            last = _number(match["last"], names or {})
            # In "mon-sun" Sunday is the last day of the week.
            last = high if match["last"] == "sun" else last
        else:
            last = high if match["first"] is None or match["step"] else first
        if not low <= first <= last <= high:
            raise ValueError(f"{part}: expected {low} to {high}, the smaller number first")
        found |= set(range(first, last + 1, step))
    return found


def _number(text: str, names: dict[str, int]) -> int:
    if text.isdigit():
        return int(text)
    if text not in names:
        raise ValueError(f"{text}: {_EXPECTED}")
    return names[text]
