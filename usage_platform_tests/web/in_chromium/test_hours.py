"""The hours of the building in Chromium, wherever the viewer is: table, axis and file."""

import csv

import pandas as pd
import pytest

from usage_platform_tests.web.in_chromium.opened_page import (
    IN_CHROMIUM,
    MARCH,
    NOVEMBER,
    expect,
    seconds,
    show,
    table_rows,
)

pytestmark = IN_CHROMIUM

ZONES = (
    "America/New_York",
    "Europe/Paris",
    "Asia/Tokyo",
    "Pacific/Auckland",
    "America/Los_Angeles",
)
"""Of viewers."""

TICKS = """() => {
  const { chart } = window.__page.view;
  const { min, max } = chart.plot.scales.x;
  return chart.ticks(chart.plot, min, max);
}"""
"""What the chart's time axis says, and where."""


def test_the_buildings_hours_are_right_wherever_the_viewer_is(open_page):
    page = open_page(timezone_id=None)
    viewer = page.context.new_cdp_session(page)
    rows = page.locator("#hours tbody tr")
    for zone in ZONES:
        viewer.send("Emulation.setTimezoneOverride", {"timezoneId": zone})
        assert page.evaluate("() => Intl.DateTimeFormat().resolvedOptions().timeZone") == zone
        show(page, MARCH, "2024-03-11")
        expected = {at: seconds(f"{MARCH}T{at}") for at in ("04:00", "12:00", "22:00")}
        found = {tick["text"]: tick["at"] for tick in page.evaluate(TICKS)}
        assert expected.items() <= found.items()
        assert "02:00" not in found
        expect(rows).to_have_count(23)
        names = [row[0] for row in table_rows(page)]
        assert names[1:3] == ["Sun 10 Mar 2024 01:00 EST", "Sun 10 Mar 2024 03:00 EDT"]
        show(page, NOVEMBER, "2024-11-04")
        expect(rows).to_have_count(25)
        names = [row[0] for row in table_rows(page)]
        assert names[1:3] == ["Sun 3 Nov 2024 01:00 EDT", "Sun 3 Nov 2024 01:00 EST"]


def test_utc_is_shown_on_demand_and_kept_in_the_link(open_page):
    page = open_page(f"?from={seconds(MARCH)}&to={seconds('2024-03-11')}")
    page.locator("#zone").select_option("UTC")
    expect(page.locator("#hours tbody tr th").first).to_have_text("Sun 10 Mar 2024 05:00 UTC")
    assert "tz=utc" in page.url


def test_the_file_has_the_rows_of_the_table(open_page):
    page = open_page(f"?from={seconds('2024-03-09')}&to={seconds('2024-03-12')}")
    expect(page.locator("#hours tbody tr")).to_have_count(71)
    shown = table_rows(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="hours as CSV").click()
    with open(download.value.path(), encoding="utf-8", newline="") as file:  # noqa: PTH123
        given = list(csv.DictReader(file))
    assert len(given) == len(shown)
    for (name, mean, *_), row in zip(shown, given, strict=True):
        local = pd.Timestamp(row["start_local"])
        assert name.startswith(f"{local:%a} {local.day} {local:%b %Y %H:%M}")
        assert float(mean.replace(",", "")) == pytest.approx(float(row["avg_usage"]), abs=0.051)
