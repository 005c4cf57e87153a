"""Photographs of the page for the README, on a generated year: `make pictures-page`."""

import io
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from PIL import Image

from usage_platform.adapters.lake.tables import Lake
from usage_platform.core.meters import Meter
from usage_platform_tests.conftest import table_writer
from usage_platform_tests.ports import unused_port
from usage_platform_tests.repository import ROOT
from usage_platform_tests.web.made_faulty import make_faulty
from usage_platform_tests.web.made_fleet import make_fleet
from usage_platform_tests.web.made_lake import YEAR_DAYS, make_year
from usage_platform_tests.web.served_page import chromium, page_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = ROOT / "docs" / "pictures"
_LARGE, _LOW, _HIGH = (
    {"width": 1280, "height": 900},
    {"width": 1280, "height": 760},
    {"width": 1280, "height": 1150},
)
_PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}


def _looks(
    view: str, size: dict[str, int], chosen: str = "", **others: str
) -> dict[str, tuple[dict[str, Any], str]]:
    """A view in light, dark and on a phone: its pictures' names, each with what is chosen on it."""
    return {
        view: ({"viewport": size}, chosen),
        f"{view}-dark": ({"viewport": size, "color_scheme": "dark"}, others.get("dark", chosen)),
        f"{view}-phone": (_PHONE, others.get("phone", chosen)),
    }


_SHOTS = _looks("page", _LARGE, dark="[data-span=year]", phone="#power-title")
_FLEET_METERS = 40
_FLEET_SHOTS = _looks("fleet", _LARGE, phone="#meters-title")
_FINDINGS_SHOTS = _looks("findings", _LARGE, "#forecast-title")
_COMPARED_DAYS = 460
"""From December 2023 to March 2025: a year with one before it."""
_COMPARED_SHOTS = _looks("comparisons", _HIGH, "#weeks-title")
_SEVERAL = ("office-01", "lab-01", "library-02", "gym-01")
_TARIFF = 0.21
_COLOURS = 128


def main() -> None:
    """Make all pictures anew."""
    with chromium() as browser:
        with tempfile.TemporaryDirectory(prefix="usage-page-") as folder:
            make_year(Lake(f"{folder}/lake"), table_writer, (Meter(),), YEAR_DAYS)
            for page, name, chosen in _opened(browser, Path(folder), _SHOTS):
                _take(page, chosen, FOLDER / f"{name}.png")
        take_findings(browser)
        take_comparisons(browser)
        take_fleet(browser)


def take_findings(browser: "Browser") -> None:
    """Photograph the forecast and the findings of a building that wastes energy."""
    with tempfile.TemporaryDirectory(prefix="usage-findings-") as folder:
        make_faulty(folder, table_writer, Meter(), _TARIFF)
        for page, name, chosen in _opened(browser, Path(folder), _FINDINGS_SHOTS):
            page.wait_for_selector("#finding-list li")
            page.wait_for_selector("#forecast-chart canvas")
            _save(page, chosen, FOLDER / f"{name}.png")


def take_comparisons(browser: "Browser") -> None:
    """Photograph a week over the weeks before and a year over the year before."""
    with tempfile.TemporaryDirectory(prefix="usage-comparisons-") as folder:
        make_year(Lake(f"{folder}/lake"), table_writer, (Meter(),), _COMPARED_DAYS)
        for page, name, chosen in _opened(browser, Path(folder), _COMPARED_SHOTS):
            page.wait_for_selector("#weeks:not([hidden])")
            page.locator("#years").scroll_into_view_if_needed()
            page.wait_for_selector("#years-shown:not([hidden])")
            _save(page, chosen, FOLDER / f"{name}.png")


def take_fleet(browser: "Browser") -> None:
    """Photograph the page of all meters, some on one chart, and the parts of a group."""
    with tempfile.TemporaryDirectory(prefix="usage-fleet-") as folder:
        make_fleet(Lake(f"{folder}/lake"), table_writer, _FLEET_METERS)
        for page, name, chosen in _opened(browser, Path(folder), _FLEET_SHOTS):
            page.locator("#groups-table tbody button").first.click()
            _save(page, chosen, FOLDER / f"{name}.png")
        several = urlencode([("meter", name) for name in _SEVERAL])
        for name, path in (
            ("compare", f"compare?{several}"),
            ("parts", f"parts?{urlencode({'name': 'rest of block 1'})}"),
        ):
            for page, shot, chosen in _opened(browser, Path(folder), _looks(name, _LOW), path):
                _save(page, chosen, FOLDER / f"{shot}.png")


def _opened(
    browser: "Browser", data: Path, shots: Mapping[str, tuple[dict[str, Any], str]], path: str = ""
) -> Iterator[tuple["Page", str, str]]:
    """Each page with its name and what is chosen on it."""
    settings = {"tariff": _TARIFF, "kafka_bootstrap": "127.0.0.1:9"}
    with page_of(data, unused_port(), **settings) as url:
        for name, (look, chosen) in shots.items():
            context = browser.new_context(**look)
            page = context.new_page()
            page.goto(f"{url}/{path}")
            page.wait_for_selector("html[data-ready]")
            yield page, name, chosen
            context.close()


def _take(page: "Page", chosen: str, path: Path) -> None:
    if chosen:
        page.locator(chosen).click()
    page.wait_for_selector("#hours tbody tr")
    _save(page, chosen, path)


def _save(page: "Page", chosen: str, path: Path) -> None:
    # Pages that follow the broker say that there is none.
    if page.evaluate("() => Boolean(window.__page || window.__fleet)"):
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


if __name__ == "__main__":
    main()
