"""Several meters on one chart in Chromium: choosing, units, keys, barriers, phone, paper."""

import pytest

from usage_platform_tests.web.in_chromium.accessibility_checker import accessibility_checker
from usage_platform_tests.web.in_chromium.opened_page import IN_CHROMIUM, expect
from usage_platform_tests.web.in_chromium.test_looks import STANDARDS

pytestmark = IN_CHROMIUM

TWO = "compare?meter=office-01&meter=lab-01"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
LOOKS = [
    ({}, {"runOnly": STANDARDS}),
    ({"color_scheme": "dark"}, {"runOnly": ["color-contrast"]}),
    (PHONE, {"runOnly": STANDARDS}),
]


def shown(page: "object") -> dict:
    return page.evaluate("() => window.__compare.state.shown")


def assert_no_barrier(page: "object", rules: dict) -> None:
    """Nothing that axe finds, and nothing wider than the screen."""
    page.evaluate(accessibility_checker())
    found = page.evaluate("rules => axe.run(rules)", rules)
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]] == []
    assert found["passes"]
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize(("look", "rules"), LOOKS, ids=["light", "dark", "phone"])
def test_no_barrier_is_found_and_nothing_is_wider_than_the_screen(
    open_page, fleet_url, look, rules
):
    page = open_page(f"{TWO}&meter=plant-02&search=gym", fleet_url, bypass_csp=True, **look)
    expect(page.locator("#compare-found button").first).to_be_visible()
    expect(page.locator("#compare-table tbody tr")).to_have_count(3)
    assert_no_barrier(page, rules)


def test_meters_are_added_by_search_and_removed_and_the_link_carries_them(open_page, fleet_url):
    page = open_page("compare", fleet_url)
    expect(page.locator("#compare-empty")).to_be_visible()
    page.locator("#compare-search").fill("lab")
    page.get_by_role("button", name="+ lab-01").click()
    expect(page.locator("#compare-table tbody tr")).to_have_count(1)
    page.get_by_role("button", name="+ lab-02").click()
    expect(page.locator("#compare-table tbody th a")).to_have_text(["lab-01", "lab-02"])
    expect(page.get_by_role("button", name="+ lab-01")).to_have_count(0)
    again = open_page(page.url.removeprefix(f"{fleet_url}/"), fleet_url)
    expect(again.locator("#compare-table tbody th a")).to_have_text(["lab-01", "lab-02"])
    again.get_by_role("button", name="Remove lab-01").press("Enter")
    expect(again.locator("#compare-table tbody th a")).to_have_text(["lab-02"])
    assert again.url.endswith("/compare?meter=lab-02")


def test_the_lines_are_drawn_and_keys_say_the_power_of_each_meter(open_page, fleet_url):
    page = open_page(TWO, fleet_url)
    content = shown(page)
    drawn = page.evaluate("() => window.__compare.chart.plot.data")
    assert drawn[0] == content["at"]
    assert drawn[1:] == [meter["power"] for meter in content["meters"]]
    page.locator("#compare-chart").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    kilowatts = [meter["power"][1] for meter in content["meters"]]
    said = page.locator("#compare-said")
    expect(said).to_contain_text(f"office-01 {kilowatts[0]:,.1f} kW, lab-01 {kilowatts[1]:,.1f} kW")


def test_the_range_is_moved_and_kept_in_the_link(open_page, fleet_url):
    page = open_page(TWO, fleet_url)
    before = shown(page)
    page.get_by_role("button", name="Day", exact=True).click()
    page.wait_for_function("() => window.__compare.state.shown.step_minutes === 5")
    page.wait_for_function(
        "() => window.__compare.state.shown.to - window.__compare.state.shown.from === 86400"
    )
    assert shown(page)["to"] == before["to"]
    page.locator("#compare-chart").focus()
    page.keyboard.press("Shift+ArrowLeft")
    page.wait_for_function(f"() => window.__compare.state.shown.to === {before['to'] - 21600}")
    assert f"to={before['to'] - 21600}" in page.url


def test_a_meter_without_an_area_is_refused_by_area_in_one_line(open_page, fleet_url):
    page = open_page("compare?meter=office-01&meter=plant-08", fleet_url, refused=400)
    page.locator("#unit").select_option("W/m2")
    expect(page.locator("#banner")).to_contain_text(
        "'office-01', 'plant-08' cannot be shown in W/m2, as no floor area is known"
    )
    page.locator("#unit").select_option("kW")
    expect(page.locator("#banner")).to_be_hidden()


def test_a_meters_page_leads_to_the_chart_with_the_words_to_search_for(open_page):
    page = open_page()
    page.locator("#compare-with-search").fill("img")
    page.keyboard.press("Enter")
    page.wait_for_selector("#compare-found button")
    expect(page.locator("#compare-table tbody th a")).to_have_text(["central-library"])
    # Text of others is text.
    assert page.locator("main img, main script").count() == 0
    page.locator("#compare-found button").click()
    expect(page.locator("#compare-table tbody tr")).to_have_count(2)
    expect(page.locator("#compare-note")).to_contain_text("others are in another one")


def test_on_paper_there_are_no_controls_and_no_dark_colours(open_page, fleet_url):
    page = open_page(TWO, fleet_url, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_function("() => window.__compare.state.colors.paper === '#fff'")
    expect(page.locator("#compare-search")).to_be_hidden()
    expect(page.get_by_role("button", name="Remove lab-01")).to_be_hidden()
    expect(page.locator("#compare-table")).to_be_visible()
    assert page.evaluate("() => window.__compare.state.colors['series-1']") == "#16324f"
