"""Query parameters of requests.

Belongs here: parameters shared by several routes; an invalid one is refused in one line.
"""

import re
from datetime import date
from enum import StrEnum
from typing import TypeVar

import pandas as pd
from starlette.exceptions import HTTPException
from starlette.requests import Request

from usage_platform.core.load.overlay import LONGEST_SPAN
from usage_platform.core.meters import Meter
from usage_platform.core.time.units import NS_A_DAY
from usage_platform.services.page_data import Year
from usage_platform.web.source import PageSource

_S = 10**9
_WEEK = 7 * NS_A_DAY
_NUMBER = re.compile("[0-9]{1,12}")
_FIRST_YEAR, _LAST_YEAR = 1970, 2100
_EARLIEST, _LATEST = 0, 4_200_000_000
_E = TypeVar("_E", bound=StrEnum)


def source_of(request: Request) -> PageSource:
    """The data behind this server."""
    return request.app.state.source


def meter_of(request: Request) -> Meter:
    """The requested meter; the default meter without the parameter."""
    name = request.query_params.get("meter")
    return known_meter(request, name or source_of(request).default_meter.name)


def known_meter(request: Request, name: str) -> Meter:
    """The description of a meter.

    Raises:
        HTTPException: For a name that no meter can have.
    """
    try:
        return source_of(request).registry().get(name)
    except ValueError as error:
        raise HTTPException(400, str(error)) from None


def year_of(request: Request) -> Year:
    """The requested year of the meter; the last twelve months without the parameter."""
    text = request.query_params.get("year")
    year = None if not text else known_year(text)
    return source_of(request).years.year(meter_of(request), year)


def known_year(text: str) -> int:
    """A year that there may be readings of.

    Raises:
        HTTPException: If it is none.
    """
    return number_of(text, "year", _FIRST_YEAR, _LAST_YEAR)


def span_of(request: Request, default: tuple[int, int]) -> tuple[int, int]:
    """The range of `from` and `to`, ns since 1970 UTC, `to` exclusive.

    Args:
        request: Its parameters are whole seconds since 1970 UTC.
        default: The values of missing parameters.
    """
    found = []
    for name, otherwise in zip(("from", "to"), default, strict=True):
        text = request.query_params.get(name)
        found.append(number_of(text, name, _EARLIEST, _LATEST) * _S if text else otherwise)
    start, end = found
    if end < start:
        raise HTTPException(400, f"to: expected a time not before from={start // _S}")
    return start, end


def chosen_span(request: Request) -> tuple[int, int]:
    """The range of `from` and `to`, by default the last 7 days of the fleet; ns since 1970 UTC.

    Raises:
        HTTPException: For a range that is empty or longer than a year.
    """
    end = source_of(request).fleet.fleet().hour_end or _WEEK
    start, end = span_of(request, (end - _WEEK, end))
    if not 0 < end - start <= LONGEST_SPAN:
        raise HTTPException(
            400, f"to: expected a time within {LONGEST_SPAN // NS_A_DAY} days after from"
        )
    return start, end


def one_of(kinds: type[_E], name: str, text: str) -> _E:
    """A parameter that is one of some words.

    Raises:
        HTTPException: If it is none of them.
    """
    try:
        return kinds(text)
    except ValueError:
        known = ", ".join(kind.value for kind in kinds)
        raise HTTPException(400, f"{name}: expected one of {known}, got {text[:40]!r}") from None


def utc_days(start: int, end: int) -> tuple[date, date]:
    """First and last UTC day of a range."""
    last = max(start, end - 1)
    return pd.Timestamp(start, tz="UTC").date(), pd.Timestamp(last, tz="UTC").date()


def number_of(text: str, name: str, least: int, most: int) -> int:
    """A whole number of a parameter.

    Raises:
        HTTPException: If it is none, or out of its range.
    """
    if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise HTTPException(
            400, f"{name}: expected a whole number from {least} to {most}, got {text[:40]!r}"
        )
    return int(text)
