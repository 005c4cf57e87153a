"""How fast the analyst's page opens and zooms with a year of readings, and what it transfers; the
same of the page of all meters (`fleet`).

Run by `make bench-page`: medians of some openings in Chromium, each in a fresh profile without a
cache, on the page's own server process.
"""

import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from usage_platform.adapters.lake.tables import Lake
from usage_platform.core.meters import Meter
from usage_platform_tests.conftest import table_writer
from usage_platform_tests.ports import unused_port
from usage_platform_tests.tools.bench import fleet
from usage_platform_tests.web.made_lake import YEAR_DAYS, make_year
from usage_platform_tests.web.served_page import chromium, page_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_TIMES = 7
_READY_MS, _ZOOM_MS = 1500.0, 100.0
# From a navigation to the drawn page with the main thread free for 50 ms.
_READY = """() => new Promise((done) => {
  const quiet = () => {
    const asked = performance.now();
    setTimeout(() => (performance.now() - asked < 60 ? done(asked) : quiet()), 50);
  };
  quiet();
})"""
# From a command to the frame after the one that it is drawn in.
_ZOOMS = """async (spans) => {
  const { view } = window.__page;
  const took = [];
  for (const [from, to] of spans) {
    const began = performance.now();
    view.span(from, to);
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
    took.push(performance.now() - began);
    await new Promise((done) => setTimeout(done, 400));
  }
  return took;
}"""


@dataclass(frozen=True)
class Opening:
    """One opening of the page.

    Attributes:
        ready_ms: Until it is drawn and takes input.
        bytes: Over the wire, compressed.
        requests: How many.
        zooms_ms: Each change of the span, from a year down to an hour and back.
    """

    ready_ms: float
    bytes: int
    requests: int
    zooms_ms: list[float]


def main() -> None:
    """Measure and print."""
    with chromium() as browser:
        with tempfile.TemporaryDirectory(prefix="usage-page-") as folder:
            print(f"a year of five-minute readings ({YEAR_DAYS} days), a model and its anomalies")
            make_year(Lake(f"{folder}/lake"), table_writer, (Meter(),), YEAR_DAYS)
            with page_of(Path(folder), unused_port()) as url:
                _opened(browser, url)  # The server reads the lake once, whoever comes first.
                openings = [_opened(browser, url) for _ in range(_TIMES)]
        Console().print(_table(openings))
        rows = [fleet.measured(browser, count, unused_port, _ready) for count in fleet.METERS]
    Console().print(fleet.table(rows))


def _opened(browser: "Browser", url: str) -> Opening:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        ready = _ready(page, url)
        year = page.evaluate(
            "() => { const { year } = window.__page.state; return [year.start, year.end]; }"
        )
        return Opening(*ready, page.evaluate(_ZOOMS, _spans(*year)))
    finally:
        context.close()


def _ready(page: "Page", url: str) -> tuple[float, int, int]:
    """Open a page: ms until it is drawn and takes input, bytes over the wire, requests."""
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    sizes: list[int] = []

    def finished(event: dict[str, Any]) -> None:
        sizes.append(int(event["encodedDataLength"]))

    client.on("Network.loadingFinished", finished)
    page.goto(url)
    page.wait_for_selector("html[data-ready]")
    ready = float(page.evaluate(_READY))
    return ready, sum(sizes), len(sizes)


def _spans(start: float, end: float) -> list[list[float]]:
    """A year, and ever shorter spans around its middle down to an hour; then the year again."""
    middle = (start + end) / 2
    days = (366, 120, 45, 30, 7, 1, 1 / 24, 366)
    return [[middle - 43_200 * d, middle + 43_200 * d] for d in days]


def _table(openings: list[Opening]) -> Table:
    ready = statistics.median(opening.ready_ms for opening in openings)
    zooms = [took for opening in openings for took in opening.zooms_ms]
    table = Table("what", "measured", "wanted", title=f"The page, {len(openings)} openings")
    table.add_row("opening to usable, median", f"{ready:,.0f} ms", f"under {_READY_MS:,.0f} ms")
    typical = statistics.median(zooms)
    table.add_row("a zoom, median", f"{typical:,.0f} ms", f"under {_ZOOM_MS:,.0f} ms")
    worst = statistics.median(max(opening.zooms_ms) for opening in openings)
    table.add_row("the slowest zoom of an opening, median", f"{worst:,.0f} ms", "")
    table.add_row("transferred", f"{openings[0].bytes / 1024:,.0f} KB", "")
    table.add_row("requests", f"{openings[0].requests}", "")
    return table


if __name__ == "__main__":
    main()
