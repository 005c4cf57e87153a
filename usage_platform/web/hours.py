"""Rows of `usage_hourly`, for the page's table and for exports.

Belongs here: `/api/hours` and the columns shown. Not here: file formats (`export`).
"""

import pandas as pd
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from usage_platform.adapters.lake.tables import USAGE_HOURLY
from usage_platform.core.meters import Meter
from usage_platform.web.answers import answer
from usage_platform.web.parameters import meter_of, source_of, span_of, utc_days
from usage_platform.web.source import PageSource

COLUMNS = (
    "start",
    "end",
    "avg_usage",
    "min_usage",
    "max_usage",
    "energy_kwh",
    "n",
    "expected_n",
    "is_final",
)
MOST_ROWS = 31 * 24 + 1
"""The page's maximum: a month of hours plus the one repeated by the clock change."""

_DAY_NS = 86_400 * 10**9


def rows_between(source: PageSource, meter: Meter, start: int, end: int) -> pd.DataFrame:
    """A meter's hours that start within a range, ascending (`COLUMNS`); empty without a table.

    Args:
        source: The lake.
        meter: The meter.
        start: ns since 1970 UTC.
        end: Same unit, exclusive.
    """
    if not source.reader.exists(USAGE_HOURLY):
        return pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS})
    rows = source.reader.rows(USAGE_HOURLY, COLUMNS, *utc_days(start, end), [meter.name])
    first, last = (pd.Timestamp(instant, tz="UTC") for instant in (start, end))
    within = (rows["start"] >= first) & (rows["start"] < last)
    return rows[within].sort_values("start", ignore_index=True)


def hours(request: Request) -> Response:
    """The last `MOST_ROWS` hours at most between `from` and `to`."""
    start, end = span_of(request, (0, _DAY_NS))
    first = max(start, end - MOST_ROWS * 3600 * 10**9)
    rows = rows_between(source_of(request), meter_of(request), first, end)
    return answer({"rows": rows.to_dict("records"), "is_cut": first > start})


ROUTES = (Route("/api/hours", hours),)
