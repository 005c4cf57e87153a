"""Days as numbers: whole days since 1970-01-01, as arrays of local days hold them."""

from datetime import date

from usage_platform.core.arrays import Ints

_FIRST = date(1970, 1, 1).toordinal()
_FIRST_WEEKDAY = 3  # a Thursday


def day_of(number: int) -> date:
    """The date of a day in days since 1970-01-01."""
    return date.fromordinal(_FIRST + number)


def day_number(day: date) -> int:
    """A date in days since 1970-01-01."""
    return day.toordinal() - _FIRST


def weekday_numbers(days: Ints) -> Ints:
    """0 (Monday) to 6 (Sunday), of days since 1970-01-01."""
    return (days + _FIRST_WEEKDAY) % 7
