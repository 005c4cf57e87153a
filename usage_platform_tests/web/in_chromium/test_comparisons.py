"""A meter's week over the weeks before and its year over the year before, in Chromium."""

import math

import pytest

from usage_platform_tests.web.in_chromium.opened_page import IN_CHROMIUM, expect

pytestmark = IN_CHROMIUM


def near_years(page: "object") -> None:
    """Go to the comparison of years, which loads once somebody is near it."""
    expect(page.locator("#weeks")).to_be_visible()
    page.locator("#years").scroll_into_view_if_needed()
    # On a busy machine reading two years takes seconds.
    expect(page.locator("#years-shown")).to_be_visible(timeout=30_000)


def test_the_week_is_shown_over_four_weeks_or_eight_as_somebody_chooses(open_page):
    page = open_page()
    rows = page.locator("#weeks-table tbody tr")
    expect(rows).to_have_count(5)
    expect(page.locator("#weeks-said")).to_contain_text("the median of 4 weeks up to the same time")
    page.get_by_role("button", name="8 weeks").press("Enter")
    expect(rows).to_have_count(9)
    expect(page.get_by_role("button", name="8 weeks")).to_have_attribute("aria-pressed", "true")
    # The week of the clock change in autumn is among them.
    expect(rows.filter(has_text="Mon 28 Oct 2024")).to_contain_text("169 (clock change)")


def test_keys_go_through_the_week_and_say_it(open_page):
    page = open_page()
    chart = page.locator("#weeks-chart")
    expect(chart).to_be_visible()
    chart.focus()
    page.keyboard.press("Home")
    expect(page.locator("#weeks-spoken")).to_contain_text("Mon 00:00: ")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#weeks-spoken")).to_contain_text("Mon 00:15: ")
    page.keyboard.press("End")
    expect(page.locator("#weeks-spoken")).to_contain_text("Sun 23:45: ")


def test_the_year_is_shown_by_week_and_by_day_with_the_difference_as_a_number(open_page):
    page = open_page()
    near_years(page)
    # The lake begins on 1 December 2023: the last two days of its year have one 52 weeks before.
    expect(page.locator("#years-said")).to_contain_text("2024 so far: ")
    expect(page.locator("#years-said")).to_contain_text(" kWh")
    answer = page.evaluate("async () => (await fetch('/api/years?meter=central-library')).json()")
    said = answer["years"]
    assert said["compared_days"] == 2
    difference = said["compared_kwh"] - said["compared_before_kwh"]
    assert math.isclose(said["difference_kwh"], difference, abs_tol=1e-6)
    expect(page.locator("#years-said")).to_contain_text(f"{abs(difference):,.0f} kWh")
    page.get_by_role("button", name="By day").click()
    page.locator("#years-chart").focus()
    page.keyboard.press("Home")
    expect(page.locator("#years-spoken")).to_contain_text("Mon 1 Jan 2024: ")
    expect(page.locator("#years-spoken")).to_contain_text("; Mon 2 Jan 2023: ")


@pytest.mark.parametrize("look", [{}, {"viewport": {"width": 390, "height": 844}}])
def test_nothing_is_wider_than_the_screen(open_page, look):
    page = open_page(**look)
    near_years(page)
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


def test_on_paper_the_charts_are_black_on_white_without_buttons(open_page):
    page = open_page(color_scheme="dark")
    near_years(page)
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_function("() => window.__page.state.colors.paper === '#fff'")
    expect(page.get_by_role("button", name="8 weeks")).to_be_hidden()
    expect(page.locator("#weeks-table")).to_be_visible()
    expect(page.locator("#years-table")).to_be_visible()
