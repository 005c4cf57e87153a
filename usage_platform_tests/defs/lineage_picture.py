"""A photograph of the lineage on Dagster's page for the README: `make pictures-page`.

Dagster shows it before anything has run; it takes neither a broker nor Spark.
"""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from usage_platform.definitions import defs
from usage_platform.local.dagster_services import dagster_services
from usage_platform.settings.settings import PREFIX
from usage_platform_tests.ports import unused_port
from usage_platform_tests.web.pictures import FOLDER, save_small
from usage_platform_tests.web.served_page import chromium, running

if TYPE_CHECKING:
    from playwright.sync_api import FloatRect, Page

_SIZE = {"width": 1800, "height": 1400}
_MARGIN = 16
_NODES = "[data-svg-viewport] foreignObject"
_CONTROLS = "button, [data-zoom-control]"
_HIDE = "found => found.forEach((one) => { one.style.visibility = 'hidden'; })"


def main() -> None:
    """Make the picture anew."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
    with tempfile.TemporaryDirectory(prefix="usage-lineage-") as folder:
        port = unused_port()
        given = env | {f"{PREFIX}DATA": folder}
        code, ui, _ = dagster_services(Path(folder), given, Path(folder, "code"), port)
        with running(code), running(ui), chromium() as browser:
            page = browser.new_page(viewport=_SIZE)
            page.goto(f"http://127.0.0.1:{port}/asset-groups?expanded={_groups()}")
            page.locator(_NODES).get_by_text("profile_report").wait_for()
            page.wait_for_timeout(3000)  # It moves to where all of it is seen.
            page.locator(_CONTROLS).evaluate_all(_HIDE)
            save_small(page.screenshot(clip=_all_of(page)), FOLDER / "lineage.png")


def _groups() -> str:
    """The groups of assets as Dagster's page names those that are unfolded."""
    graph = defs.resolve_asset_graph()
    names = {str(graph.get(key).group_name) for key in graph.get_all_asset_keys()}
    return ",".join(f"global@global:{name}" for name in sorted(names))


def _all_of(page: "Page") -> "FloatRect":
    """Where on the page the graph is."""
    boxes = [box for one in page.locator(_NODES).all() if (box := one.bounding_box())]
    left, top = (min(box[side] for box in boxes) - _MARGIN for side in ("x", "y"))
    right = max(box["x"] + box["width"] for box in boxes) + _MARGIN
    bottom = max(box["y"] + box["height"] for box in boxes) + _MARGIN
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


if __name__ == "__main__":
    main()
