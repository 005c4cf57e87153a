"""How fast the page of all meters opens, by their number: a part of `make bench-page`.

The lake has five weeks of hours, a model and groups, written without Spark.
"""

import json
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from usage_platform.adapters.lake.tables import Lake
from usage_platform_tests.conftest import table_writer
from usage_platform_tests.web.made_fleet import make_fleet
from usage_platform_tests.web.served_page import page_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

METERS = {1_413: 1000.0, 10_000: 1500.0}
"""Numbers of meters, and within how many ms the page should be usable."""

_TIMES = 7
_A_QUARTER = 4
# From a command to the rows that it has changed.
_CHANGES = """async (choices) => {
  const took = [];
  for (const [selector, wanted] of choices) {
    const began = performance.now();
    document.querySelector(selector).click();
    while (!document.querySelector(wanted)) await new Promise((done) => setTimeout(done, 1));
    took.push(performance.now() - began);
  }
  return took;
}"""
_CHOICES = [
    ["[data-sort=week_kwh] button", "[data-sort=week_kwh][aria-sort=descending]"],
    ["[data-show=open]", "[data-show=open][aria-pressed=true]"],
    ["[data-show=all]", "[data-show=all][aria-pressed=true]"],
    ["[data-sort=name] button", "[data-sort=name][aria-sort=ascending]"],
]


@dataclass(frozen=True)
class Measured:
    """The page of so many meters.

    Attributes:
        meters: How many.
        first_s: From the first request to a server that has read nothing, to its answer.
        again_s: From new files of one day to an answer with them.
        ready_ms: Median until the page is drawn and takes input.
        bytes: Over the wire, compressed.
        requests: How many.
        change_ms: Median from a click on a column or filter to the changed rows.
    """

    meters: int
    first_s: float
    again_s: float
    ready_ms: float
    bytes: int
    requests: int
    change_ms: float


def measured(
    browser: "Browser",
    count: int,
    free_port: Callable[[], int],
    opened: "Callable[[Page, str], tuple[float, int, int]]",
) -> Measured:
    """Measure the page of so many meters.

    Args:
        browser: The browser.
        count: How many meters.
        free_port: Gives a port.
        opened: Opens an address in a page: ms until it takes input, bytes, requests.
    """
    with tempfile.TemporaryDirectory(prefix="usage-fleet-") as folder:
        lake = Lake(f"{folder}/lake")
        make_fleet(lake, table_writer, count, _A_QUARTER)
        with page_of(Path(folder), free_port()) as url:
            first = _answered(url)
            openings = [_opening(browser, url, opened) for _ in range(_TIMES)]
            again = _after_new_hours(url, lake)
    ready = statistics.median(one[0] for one in openings)
    changes = statistics.median(ms for one in openings for ms in one[3])
    return Measured(count, first, again, ready, openings[0][1], openings[0][2], changes)


def _opening(
    browser: "Browser", url: str, opened: "Callable[[Page, str], tuple[float, int, int]]"
) -> tuple[float, int, int, list[float]]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        seen = opened(page, url)
        return *seen, page.evaluate(_CHANGES, _CHOICES)
    finally:
        context.close()


def _answered(url: str) -> float:
    began = time.monotonic()
    _fleet(url)
    return time.monotonic() - began


def _fleet(url: str) -> str:
    with urllib.request.urlopen(f"{url}/api/fleet", timeout=600) as answer:  # noqa: S310
        return json.load(answer)["version"]


def _after_new_hours(url: str, lake: Lake) -> float:
    """From a new version of the newest day to an answer with it; the server looks every 5 s."""
    from deltalake import DeltaTable

    before = _fleet(url)
    DeltaTable(lake.table("usage_hourly")).delete("event_date = '2024-03-25' AND meter = 'gym-02'")
    began = time.monotonic()
    while _fleet(url) == before:
        time.sleep(0.1)
    return time.monotonic() - began


def table(rows: list[Measured]) -> Table:
    """The figures."""
    shown = Table(
        *("meters", "opening to usable, median", "wanted", "a click to its rows, median"),
        *("transferred", "requests", "first answer", "new hours shown after"),
        title=f"The page of all meters, {_TIMES} openings",
    )
    for one in rows:
        shown.add_row(
            f"{one.meters:,}",
            f"{one.ready_ms:,.0f} ms",
            f"under {METERS[one.meters]:,.0f} ms",
            f"{one.change_ms:,.0f} ms",
            f"{one.bytes / 1024:,.0f} KB",
            f"{one.requests}",
            f"{one.first_s:,.1f} s",
            f"{one.again_s:,.1f} s",
        )
    return shown
