"""Quarters of the calendar year, as findings are made and named by."""

from datetime import date


def first_of_quarter(day: date) -> date:
    """The first day of a day's quarter."""
    return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)


def quarter_label(day: date) -> str:
    """A day's quarter, such as 2024-Q2."""
    return f"{day.year}-Q{(day.month + 2) // 3}"
