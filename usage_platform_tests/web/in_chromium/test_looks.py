"""The whole page in Chromium: text of others, barriers, paper, and nothing to show."""

from urllib.parse import quote

import pytest

from usage_platform_tests.web.in_chromium.accessibility_checker import accessibility_checker
from usage_platform_tests.web.in_chromium.conftest import HOSTILE
from usage_platform_tests.web.in_chromium.opened_page import IN_CHROMIUM, expect
from usage_platform_tests.web.served_page import page_of

pytestmark = IN_CHROMIUM

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""What axe is asked for."""


def test_text_of_others_is_text_and_never_markup(open_page, served):
    page = open_page(f"?meter={quote(HOSTILE.name)}")
    expect(page.locator("h1")).to_have_text(HOSTILE.name)
    assert page.locator("h1 img, main img, main script, option img").count() == 0


@pytest.mark.parametrize(
    ("look", "rules"),
    [
        ({}, {"runOnly": STANDARDS}),
        ({"color_scheme": "dark"}, {"runOnly": ["color-contrast"]}),
        ({"viewport": {"width": 390, "height": 844}, "has_touch": True}, {"runOnly": STANDARDS}),
    ],
    ids=["light", "dark", "phone"],
)
def test_no_barrier_is_found_and_nothing_is_wider_than_the_screen(open_page, look, rules):
    # The checker is a script of its own, which the page's policy would not let in.
    page = open_page(bypass_csp=True, **look)
    page.locator("#episode-list summary").first.click()
    expect(page.locator("#hours tbody tr").first).to_be_visible()
    expect(page.locator("#finding-list > li").first).to_be_visible()
    expect(page.locator("#forecast")).to_be_visible()
    expect(page.locator("#weeks-table tbody tr").first).to_be_visible()
    page.locator("#years").scroll_into_view_if_needed()
    expect(page.locator("#years-table tbody tr").first).to_be_visible(timeout=30_000)
    page.evaluate(accessibility_checker())
    found = page.evaluate("rules => axe.run(rules)", rules)
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]] == []
    assert found["passes"]
    wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0


def test_on_paper_there_are_no_controls_and_no_dark_colours(open_page):
    page = open_page(color_scheme="dark")
    colors = "() => window.__page.state.colors"
    dark = page.evaluate(colors)
    page.emulate_media(media="print", color_scheme="dark")
    # Chromium reports the change of media some time later, on a busy machine after seconds.
    page.wait_for_function("() => window.__page.state.colors.paper === '#fff'")
    paper = page.evaluate(colors)
    assert {name for name in paper if paper[name] == dark[name]} == set()
    expect(page.get_by_role("button", name="Week")).to_be_hidden()
    expect(page.locator("#episode-list > li").first).to_be_visible()
    expect(page.locator("#finding-list > li").first).to_be_visible()


def test_an_empty_lake_says_so_and_breaks_nothing(open_page, served, tmp_path, unused_port):
    with page_of(tmp_path, unused_port(), kafka_bootstrap=served.kafka.bootstrap) as url:
        page = open_page(url=url)
        expect(page.locator("#hours-note")).to_contain_text("No readings yet")
        expect(page.locator("#episodes-count")).to_contain_text("0 episodes")
        expect(page.locator("#findings-count")).to_contain_text("0 findings")
        expect(page.locator("#forecast")).to_be_hidden()
        expect(page.locator("#tiles")).to_contain_text("no reading yet")
        expect(page.locator("#banner")).to_be_hidden()
        page.close()
