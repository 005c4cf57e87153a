"""Photographs of the page for the README, on a generated year: `make pictures-page`."""

import io
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from usage_platform.adapters.lake.tables import Lake
from usage_platform.core.meters import Meter
from usage_platform_tests.conftest import table_writer
from usage_platform_tests.repository import ROOT
from usage_platform_tests.web.made_lake import YEAR_DAYS, make_year
from usage_platform_tests.web.served_page import chromium, page_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = ROOT / "docs" / "pictures"
_LARGE = {"width": 1280, "height": 900}
_SHOTS = {
    "page": ({"viewport": _LARGE}, ""),
    "page-dark": ({"viewport": _LARGE, "color_scheme": "dark"}, "[data-span=year]"),
    "page-phone": (
        {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
        "#power-title",
    ),
}
_COLOURS = 128


def main() -> None:
    """Make all pictures anew."""
    with tempfile.TemporaryDirectory(prefix="usage-page-") as folder:
        make_year(Lake(f"{folder}/lake"), table_writer, (Meter(),), YEAR_DAYS)
        settings = {"tariff": 0.21, "kafka_bootstrap": "127.0.0.1:9"}
        with page_of(Path(folder), free_port(), **settings) as url, chromium() as browser:
            for name, (look, chosen) in _SHOTS.items():
                context = browser.new_context(**look)
                page = context.new_page()
                page.goto(url)
                page.wait_for_selector("html[data-ready]")
                _take(page, chosen, FOLDER / f"{name}.png")
                context.close()


def _take(page: "Page", chosen: str, path: Path) -> None:
    if chosen:
        page.locator(chosen).click()
    page.wait_for_selector("#hours tbody tr")
    page.wait_for_selector("#banner:not([hidden])")
    # A photograph needs no broker; on a running platform nothing is said of it.
    page.evaluate("() => { document.getElementById('banner').hidden = true; }")
    if chosen.startswith("#"):
        page.locator(chosen).evaluate("element => element.scrollIntoView()")
    page.wait_for_timeout(300)
    save_small(page.screenshot(), path)


def save_small(taken: bytes, path: Path) -> None:
    """Save a screenshot as small as a picture of few colours can be, and say so."""
    image = Image.open(io.BytesIO(taken)).convert("RGB").quantize(_COLOURS)
    image.save(path, optimize=True)
    print(path.relative_to(ROOT))


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


if __name__ == "__main__":
    main()
