"""The parts of a group in Chromium: layers, what is missing, keys, barriers, phone, paper."""

import re

import pytest

from usage_platform_tests.web.in_chromium.opened_page import IN_CHROMIUM, expect
from usage_platform_tests.web.in_chromium.test_compare import LOOKS, assert_no_barrier

pytestmark = IN_CHROMIUM

CAMPUS = "parts?name=North%20campus"
REST = "parts?name=rest%20of%20block%201"


@pytest.mark.parametrize(("look", "rules"), LOOKS, ids=["light", "dark", "phone"])
def test_no_barrier_is_found_and_nothing_is_wider_than_the_screen(
    open_page, fleet_url, look, rules
):
    page = open_page(CAMPUS, fleet_url, bypass_csp=True, **look)
    expect(page.locator("#parts-missing li").first).to_be_visible()
    assert_no_barrier(page, rules)


def test_the_layers_lie_on_each_other_and_what_is_missing_is_named(open_page, fleet_url):
    page = open_page(CAMPUS, fleet_url)
    shown = page.evaluate("() => window.__parts.state.shown")
    names = [layer["name"] for layer in shown["layers"]]
    assert sorted(names) == ["Block 1", "Block 2", "Block 3"]
    drawn = page.evaluate("() => window.__parts.chart.plot.data")
    hour = next(n for n, top in enumerate(drawn[-1]) if top is not None)
    total = sum(layer["power"][hour] for layer in shown["layers"])
    assert drawn[-1][hour] == pytest.approx(total)
    # A meter of block 2 has been silent for three days, another one lacks some hours.
    assert 0 < shown["whole_hours"] < 168
    assert drawn[-1].count(None) == 168 - shown["whole_hours"]
    missing = page.locator("#parts-missing")
    expect(missing).to_contain_text(f"{168 - shown['whole_hours']} of 168 hours are left out")
    expect(missing).to_contain_text("none counts as 0")


def test_a_main_meter_is_its_sub_meters_and_the_rest_and_keys_say_them(open_page, fleet_url):
    page = open_page("fleet", fleet_url)
    # The one group with readings of its own has a page as a meter.
    sums = page.get_by_role("link", name=re.compile("^Sum of"))
    expect(sums).to_have_count(1)
    expect(sums).to_have_attribute("href", "/?meter=rest+of+block+1")
    page.get_by_role("link", name="Parts of rest of block 1").press("Enter")
    page.wait_for_selector("#parts-chart canvas")
    expect(page.locator("h1")).to_have_text("rest of block 1")
    rows = page.locator("#parts-table tbody th")
    names = rows.all_inner_texts()
    assert (names[0], names[-1]) == ("main meter", "rest")
    assert sorted(names[1:-1]) == ["lab-01", "library-01", "office-01"]
    page.locator("#parts-chart").focus()
    page.keyboard.press("End")
    expect(page.locator("#parts-said")).to_contain_text("main meter ")
    expect(page.locator("#parts-said")).to_contain_text(", rest ")


def test_a_range_without_readings_says_so_and_a_group_that_is_none_too(open_page, fleet_url):
    page = open_page(f"{REST}&from=1000000000&to=1000600000", fleet_url)
    expect(page.locator("#parts-missing")).to_contain_text("no complete hour in this range")
    none = open_page("parts?name=none", fleet_url, refused=404)
    expect(none.locator("#banner")).to_contain_text("no group 'none'")


def test_on_paper_the_stack_and_its_table_are_there_without_buttons(open_page, fleet_url):
    page = open_page(CAMPUS, fleet_url, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_function("() => window.__parts.state.colors.paper === '#fff'")
    expect(page.get_by_role("button", name="Month")).to_be_hidden()
    expect(page.locator("#parts-table")).to_be_visible()
