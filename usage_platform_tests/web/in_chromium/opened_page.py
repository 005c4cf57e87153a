"""What an opened page shows, as tests ask for it.

Belongs here: asking the page, and which tests need a browser. Not here: opening it (`conftest`).
"""

import pandas as pd
import pytest

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, Lake
from usage_platform_tests.web.in_chromium.conftest import LIBRARY
from usage_platform_tests.web.served_page import CHROMIUM, ServedPage

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

IN_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.kafka,
    pytest.mark.timeout(240),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on the PATH"),
]

MARCH, NOVEMBER = "2024-03-10", "2024-11-03"
"""The local days on which Boston's clocks change."""


def drawn(page: "sync_api.Page") -> list[list[float | None]]:
    """The chart's columns: times, low, high, line, expected."""
    return page.evaluate("() => window.__page.view.chart.data()")


def span(page: "sync_api.Page") -> tuple[float, float]:
    place = page.evaluate("() => window.__page.state.place")
    return place["from"], place["to"]


def seconds(local: str, zone: str = LIBRARY.timezone) -> int:
    return pd.Timestamp(local, tz=zone).value // 10**9


def table_rows(page: "sync_api.Page") -> list[list[str]]:
    texts = "rows => rows.map((row) => [...row.cells].map((cell) => cell.innerText))"
    return page.locator("#hours tbody tr").evaluate_all(texts)


def show(page: "sync_api.Page", first: str, last: str) -> None:
    """Show a span of local time."""
    page.evaluate(
        "([from, to]) => window.__page.view.span(from, to)", [seconds(first), seconds(last)]
    )


def readings_of(served: ServedPage, first: int, last: int) -> pd.DataFrame:
    rows = LakeReader(Lake(str(served.data / "lake"))).rows(READINGS, meters=[LIBRARY.name])
    at = rows["event_time"].to_numpy("datetime64[s]").astype(int)
    return rows[(at >= first) & (at < last)].sort_values("event_time")
