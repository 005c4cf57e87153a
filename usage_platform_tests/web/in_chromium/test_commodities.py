"""A water meter in Chromium: m3/h and m3 wherever a number stands, and no kW."""

import re
from collections.abc import Iterator

import pytest

from usage_platform_tests.web.in_chromium.opened_page import IN_CHROMIUM, expect
from usage_platform_tests.web.made_water import LIBRARY, POOL, WATER, fill_with_water
from usage_platform_tests.web.served_page import page_of

pytestmark = IN_CHROMIUM


@pytest.fixture(scope="module")
def water_url(served, tmp_path_factory, unused_port) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("water")
    fill_with_water(folder)
    settings = {"kafka_bootstrap": served.kafka.bootstrap, "tariff": 0.2}
    with page_of(folder, unused_port(), **settings) as url:
        yield url


def test_a_water_meter_is_shown_in_m3_and_a_power_meter_in_kw_again(open_page, water_url):
    page = open_page(f"?meter={WATER.name}", water_url)
    expect(page.locator("#hours thead")).to_contain_text("Mean m3/h")
    expect(page.locator("#power-title")).to_have_text("Flow")
    expect(page.locator("#tiles")).to_contain_text("m3/h")
    expect(page.locator("#episode-list")).to_contain_text("2.75 m3/h")
    shown = page.locator("main").inner_text()
    assert [line for line in shown.splitlines() if "kW" in line] == ["tariffs price kWh"]
    # The axis reaches as far as the water does, not to 1.
    top = page.evaluate("() => window.__page.view.chart.plot.scales.y.max")
    assert 0 < top < 1
    page.locator("#meter").select_option(LIBRARY.name)
    expect(page.locator("#hours thead")).to_contain_text("Mean kW")
    assert page.evaluate("() => window.__page.view.chart.plot.axes[1].label") == "kW"


def test_the_fleet_names_the_unit_and_a_mixed_chart_is_refused(open_page, water_url):
    fleet = open_page("fleet", water_url)
    row = fleet.locator(f'tr[data-meter="{WATER.name}"]')
    expect(row.locator(".badge")).to_have_text("m3/h")
    expect(row.locator("svg")).to_have_attribute(
        "aria-label", re.compile(r"hourly means: 0\.\d m3/h to 0\.\d m3/h")
    )
    both = open_page(f"compare?meter={WATER.name}&meter={POOL.name}", water_url)
    expect(both.locator("#compare-table thead")).to_contain_text("mean m3/h")
    mixed = open_page(f"compare?meter={LIBRARY.name}&meter={WATER.name}", water_url, refused=400)
    expect(mixed.locator("body")).to_contain_text("have no axis in common")
