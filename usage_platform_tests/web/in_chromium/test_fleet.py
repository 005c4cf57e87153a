"""The page of all meters in Chromium: barriers, keys, phone, paper, text of others."""

from urllib.parse import quote_plus

import pytest

from usage_platform_tests.web.in_chromium.accessibility_checker import accessibility_checker
from usage_platform_tests.web.in_chromium.conftest import FLEET_METERS, HOSTILE, LIBRARY
from usage_platform_tests.web.in_chromium.opened_page import IN_CHROMIUM, expect
from usage_platform_tests.web.in_chromium.test_looks import STANDARDS
from usage_platform_tests.web.served_page import page_of

pytestmark = IN_CHROMIUM

PAGE_ROWS = 50


def names(page: "object") -> list[str]:
    return page.locator("#meters-table tbody th a").all_inner_texts()


@pytest.mark.parametrize(
    ("look", "rules"),
    [
        ({}, {"runOnly": STANDARDS}),
        ({"color_scheme": "dark"}, {"runOnly": ["color-contrast"]}),
        ({"viewport": {"width": 390, "height": 844}, "has_touch": True}, {"runOnly": STANDARDS}),
    ],
    ids=["light", "dark", "phone"],
)
def test_no_barrier_is_found_and_nothing_is_wider_than_the_screen(
    open_page, fleet_url, look, rules
):
    # The checker is a script of its own, which the page's policy would not let in.
    page = open_page("", fleet_url, bypass_csp=True, **look)
    page.locator("#groups-table tbody button").first.click()
    page.get_by_role("button", name="Block 1", exact=False).first.click()
    expect(page.locator("#groups-table .level-2")).to_have_count(4)
    expect(page.locator("#findings-said")).to_have_text("2 findings are not done, at 2 meters")
    page.evaluate(accessibility_checker())
    found = page.evaluate("rules => axe.run(rules)", rules)
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]] == []
    assert found["passes"]
    wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0


def test_search_filter_sort_and_pages_choose_the_rows_and_are_kept_in_the_link(
    open_page, fleet_url
):
    page = open_page("", fleet_url)
    rows = page.locator("#meters-table tbody tr")
    expect(rows).to_have_count(PAGE_ROWS)
    page.get_by_role("button", name="Next").click()
    expect(rows).to_have_count(FLEET_METERS - PAGE_ROWS)
    expect(page.locator("#matched")).to_contain_text(
        f"Meters 51 to {FLEET_METERS} of {FLEET_METERS}"
    )
    page.get_by_role("button", name="Meter", exact=True).click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Meter")
    expect(rows.first.locator("a")).to_have_text("clinic-01")
    page.locator("#search").fill("lab")
    expect(rows).to_have_count(8)
    expect(page.locator("#pages")).to_be_hidden()
    page.locator("#search").fill("")
    page.locator("[data-show=silent]").click()
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("silent")
    again = open_page(page.url.removeprefix(f"{fleet_url}/"), fleet_url)
    assert names(again) == ["gym-01"]
    expect(again.locator("[data-show=silent]")).to_have_attribute("aria-pressed", "true")


def test_the_rows_say_what_is_at_stake_and_those_without_a_tariff_that(open_page, fleet_url):
    page = open_page("", fleet_url)
    expect(page.locator("#meters-table th[aria-sort=descending]")).to_contain_text("At stake")
    expect(page.locator("#matched")).to_contain_text("by what they cost above the expected energy")
    first = page.locator("#meters-table tbody tr").first
    expect(first.locator("td.cost").first).to_contain_text("€")
    page.locator("#search").fill("plant-01")
    expect(page.locator("#meters-table tbody tr")).to_have_count(1)
    expect(first.locator("td.cost")).to_have_text(["no tariff", "no tariff"])
    page.get_by_role("button", name="Cost 30 d").click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text("Cost 30 d")
    assert "sort=month_cost" in page.url


def test_without_tariffs_there_is_no_column_of_costs(open_page):
    page = open_page("fleet")
    expect(page.locator("#meters-table [data-sort=at_stake]")).to_be_hidden()
    expect(page.locator("#matched")).to_contain_text("with most energy above or below")


def test_rows_are_selected_by_keys_for_one_chart_and_a_ninth_is_refused(open_page, fleet_url):
    page = open_page("", fleet_url)
    boxes = page.locator("#meters-table tbody input")
    for n in range(8):
        boxes.nth(n).press("Space")
    expect(page.locator("#selection-said")).to_contain_text("8 of at most 8 selected")
    boxes.nth(8).press("Space")
    expect(page.locator("#selection-said")).to_contain_text("At most 8 meters fit")
    expect(boxes.nth(8)).not_to_be_checked()
    chosen = names(page)[:8]
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Previous").click()
    expect(boxes.first).to_be_checked()
    page.get_by_role("link", name="Show on one chart").press("Enter")
    page.wait_for_selector("#compare-chart canvas")
    expect(page.locator("#compare-table tbody th a")).to_have_text(chosen)
    page.go_back()
    page.wait_for_selector("html[data-ready]")
    page.locator("#meters-table tbody input").first.press("Space")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#selection")).to_be_hidden()


def test_a_row_and_a_tile_open_the_page_of_the_meter_by_keys_alone(open_page, fleet_url):
    page = open_page("", fleet_url)
    first, second = names(page)[:2]
    page.locator("#meters-table tbody a").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#meters-table tbody a").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_selector("#power-chart")
    expect(page.locator("h1")).to_have_text(second)
    page.get_by_role("link", name="All meters").click()
    page.wait_for_selector("#meters-table tbody a")
    page.locator("#map a").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#map a").first).to_be_focused()
    name = page.locator("#map a").first.get_attribute("title").partition(":")[0]
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(name)
    assert first != second


def test_the_tiles_fill_the_map_by_energy_and_none_lies_over_another(open_page, fleet_url):
    page = open_page("", fleet_url)
    boxes = page.evaluate(
        """() => [...document.querySelectorAll('#map > *')].map(({ style }) =>
            ['left', 'top', 'width', 'height'].map((side) => parseFloat(style[side])))"""
    )
    map_ = page.evaluate("() => window.__fleet.treemap.shown")
    sizes = [tile["kwh"] for tile in map_["tiles"]] + [map_["others"]["kwh"]]
    areas = sorted((width * height for *_, width, height in boxes), reverse=True)
    assert map_["others"]["meters"] == FLEET_METERS - len(map_["tiles"]) > 0
    assert areas == pytest.approx(
        [sum(areas) * kwh / sum(sizes) for kwh in sorted(sizes, reverse=True)], rel=1e-3
    )
    for n, (x, y, width, height) in enumerate(boxes):
        for other_x, other_y, other_width, other_height in boxes[:n]:
            apart_x = min(x + width, other_x + other_width) - max(x, other_x) < 0.1
            apart_y = min(y + height, other_y + other_height) - max(y, other_y) < 0.1
            assert apart_x or apart_y


def test_a_group_opens_and_closes_and_says_which_hours_count(open_page, fleet_url):
    page = open_page("", fleet_url)
    rows = page.locator("#groups-table tbody tr")
    expect(rows).to_have_count(3)
    site = page.get_by_role("button", name="North campus")
    site.press("Enter")
    expect(rows).to_have_count(6)
    expect(site).to_have_attribute("aria-expanded", "true")
    expect(site).to_be_focused()
    # One meter of block 2 was silent for the last three days.
    expect(rows.filter(has_text="Block 2")).to_contain_text(" of 168")
    expect(rows.filter(has_text="Block 3")).to_contain_text("all")
    site.press("Enter")
    expect(rows).to_have_count(3)


def test_on_a_phone_the_main_columns_fit_and_the_others_are_a_button_away(open_page, fleet_url):
    page = open_page("", fleet_url, viewport={"width": 390, "height": 844}, has_touch=True)
    region = """() => {
        const { scrollWidth, clientWidth } = document.querySelector(".whole");
        return scrollWidth - clientWidth;
    }"""
    assert page.evaluate(region) <= 0
    month = page.locator("#meters-table [data-sort=month_kwh]")
    expect(month).to_be_hidden()
    page.get_by_role("button", name="All columns").click()
    expect(month).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


def test_on_paper_there_are_no_controls_and_the_table_is_whole(open_page, fleet_url):
    page = open_page("", fleet_url, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator("#search")).to_be_hidden()
    expect(page.locator("[data-show=silent]")).to_be_hidden()
    expect(page.locator("#meters-table [data-sort=month_kwh]")).to_be_visible()
    expect(page.get_by_role("rowheader", name="North campus")).to_be_visible()
    color = "() => getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(color) == "rgb(255, 255, 255)"


def test_text_of_others_is_text_and_a_meters_name_leads_to_its_page(open_page):
    page = open_page("fleet")
    assert sorted(names(page)) == sorted([HOSTILE.name, LIBRARY.name])
    assert page.locator("main img, main script").count() == 0
    link = page.get_by_role("rowheader", name=HOSTILE.name).locator("a")
    assert link.get_attribute("href") == f"/?meter={quote_plus(HOSTILE.name)}"
    link.click()
    expect(page.locator("h1")).to_have_text(HOSTILE.name)


def test_an_empty_lake_says_so_and_breaks_nothing(open_page, served, tmp_path, unused_port):
    with page_of(tmp_path, unused_port(), kafka_bootstrap=served.kafka.bootstrap) as url:
        page = open_page("fleet", url)
        expect(page.locator("#as-of")).to_have_text("No readings yet.")
        expect(page.locator("#map")).to_contain_text("No readings of the last 7 days.")
        expect(page.locator("#banner")).to_be_hidden()
        page.close()
