"""Calendars from what people write: a country for its public holidays, a list of closing days.

Belongs here: reading both. Not here: which weekday such a day counts as (`detector.grid`).
"""

from collections.abc import Sequence
from datetime import date

from usage_platform.core.detector.grid import Calendar

NO_HOLIDAYS = "-"


def calendar_named(country: str | None, closed: Sequence[str] = ()) -> Calendar:
    """The calendar of a building.

    Args:
        country: A country, `US`, or a country and a part of it, `US-MA`, as the `holidays` library
            names them; None or `-` for no public holidays.
        closed: Lines of a file of the building's own closing days: a day like 2024-07-05 each, a
            comment after `#`; empty ones are passed over.

    Raises:
        ValueError: In one line, for a country or a day that cannot be understood.
    """
    name, part = None, None
    if country not in (None, NO_HOLIDAYS):
        name, _, part = country.partition("-")
        _check(country, name, part)
    return Calendar(name, part or None, tuple(_days(closed)))


def _check(given: str, name: str, part: str) -> None:
    # Few need it, and it takes a tenth of the time in which each process of the platform starts.
    import holidays

    try:
        holidays.country_holidays(name, subdiv=part or None, years=2024)
    except NotImplementedError:
        raise ValueError(
            f"holidays: {given!r} is not known; give a country such as US, or with a part of it "
            f"such as US-MA, or {NO_HOLIDAYS} for none"
        ) from None


def _days(lines: Sequence[str]) -> list[date]:
    days = []
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            days.append(date.fromisoformat(text))
        except ValueError:
            raise ValueError(
                f"closed days: line {number} is {text!r}; expected a day like 2024-07-05"
            ) from None
    return days
