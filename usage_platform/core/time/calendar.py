"""Calendars of rest days: public holidays of a country, and a building's own closing days.

Belongs here: the calendar, and how it is read from what people write. Not here: which weekday a
rest day counts as (`core.detector.grid`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from usage_platform.core.arrays import Ints

NO_HOLIDAYS = "-"


@dataclass(frozen=True)
class Calendar:
    """Days on which a building rests although the week says otherwise; they count as Sundays.

    Attributes:
        country: Country code for the `holidays` library; None for no public holidays.
        subdivision: State or province in it.
        closed: The building's own closing days.
    """

    country: str | None = None
    subdivision: str | None = None
    closed: tuple[date, ...] = ()

    def rest_days(self, first: int, last: int) -> Ints:
        """The rest days of a span, in days since 1970-01-01, ascending.

        Args:
            first: First day of the span, in days since 1970-01-01.
            last: Last day of it, the same.
        """
        days = np.array(self.closed, dtype="datetime64[D]").astype(np.int64)
        if self.country is not None:
            public = public_holidays(first, last, self.country, self.subdivision)
            days = np.concatenate([days, public])
        return np.unique(days[(days >= first) & (days <= last)])


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
    days: list[date] = []
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


def public_holidays(first: int, last: int, country: str, subdivision: str | None) -> np.ndarray:
    """The public holidays of the years around a span of days.

    Args:
        first: First day of the span, in days since 1970-01-01.
        last: Last day of it, the same.
        country: Country code for the `holidays` library.
        subdivision: State or province in it.

    Returns:
        int64, ascending: days since 1970-01-01.
    """
    # Few need it, and it takes a tenth of the time in which each process of the platform starts.
    import holidays

    years = np.array([first, last], "datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
    calendar = holidays.country_holidays(
        country, subdiv=subdivision, years=range(years[0], years[1] + 1)
    )
    return np.array(sorted(calendar), dtype="datetime64[D]").astype(np.int64)
