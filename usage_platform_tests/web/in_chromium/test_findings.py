"""Findings and the forecast in Chromium: states by keys, the time of a finding, the drawn range."""

import re

import pytest

from usage_platform_tests.web.in_chromium.conftest import FINDINGS
from usage_platform_tests.web.in_chromium.opened_page import IN_CHROMIUM, expect, span

pytestmark = IN_CHROMIUM

FIRST = f"{FINDINGS[0]:012x}"


def test_a_state_is_set_by_keys_and_is_there_after_loading_again(open_page):
    page = open_page()
    expect(page.locator("#findings-count")).to_contain_text("2 findings")
    item = page.locator("#finding-list > li").first
    expect(item).to_contain_text("8,000 kWh a year · $2,000 a year")
    button = item.get_by_role("button", name="accepted")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(button).to_be_focused()
    page.reload()
    again = page.locator(f"[data-finding='{FIRST}']")
    expect(again.get_by_role("button", name="accepted")).to_have_attribute("aria-pressed", "true")
    again.get_by_role("button", name="done").click()
    expect(page.locator("#findings-count")).to_contain_text("2 findings, 1 not done")


@pytest.mark.parametrize("year", ["", "&year=2023"])
def test_a_finding_leads_to_the_time_that_it_is_about(open_page, year):
    page = open_page(f"?meter=central-library{year}")
    link = page.locator(f"[data-finding='{FIRST}'] h3 a")
    start, end = (
        int(re.search(f"{name}=(\\d+)", link.get_attribute("href"))[1]) for name in ("from", "to")
    )
    link.click()
    page.wait_for_function("([from]) => window.__page.state.place.from === from", arg=[start])
    assert span(page) == (start, end)
    assert (
        open_page(link.get_attribute("href")).evaluate("() => window.__page.state.place.from")
        == start
    )


def test_the_forecast_follows_the_last_reading(open_page):
    page = open_page()
    expect(page.locator("#forecast-figures")).to_contain_text("Next 24 hours")
    expect(page.locator("#forecast-figures")).to_contain_text("90% range")
    times, low, high, readings, power = page.evaluate("() => window.__page.forecast.data()")
    last = max(i for i, kw in enumerate(readings) if kw is not None)
    assert [kw is None for kw in power] == [i <= last for i in range(len(times))]
    assert times == sorted(times)
    assert len(times) - last - 1 == 288
    assert all(
        a <= b <= c
        for a, b, c in zip(*(one[last + 1 :] for one in (low, power, high)), strict=True)
    )
    page.locator("#year").select_option("2023")
    expect(page.locator("#forecast")).to_be_hidden()
