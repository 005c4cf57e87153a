"""Episodes in Chromium: reviewing them, links to them, and how they read."""

import re

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.stores.labels import LabelStore
from usage_platform_tests.web.in_chromium.conftest import LIBRARY
from usage_platform_tests.web.in_chromium.opened_page import IN_CHROMIUM, expect, span

pytestmark = IN_CHROMIUM


def test_what_a_person_says_of_an_episode_is_there_after_loading_again(open_page, served):
    page = open_page()
    item = page.locator("#episode-list > li").nth(1)
    name = item.get_attribute("data-episode")
    item.locator("summary").click()
    item.get_by_label("Note").fill("donors' evening <b>x</b>")
    item.get_by_role("button", name="Save note").click()
    expect(item.locator(".said")).to_contain_text("donors' evening <b>x</b>")
    item.get_by_role("button", name="Label: planned").click()
    expect(item).to_contain_text("acknowledged, labelled planned")
    page.reload()
    again = page.locator(f'[data-episode="{name}"]')
    expect(again).to_contain_text("acknowledged, labelled planned")
    labels = LabelStore(LakeFiles(Lake(str(served.data / "lake")).assets)).read()
    assert labels["says"].tolist() == ["planned"]
    page.get_by_label("only unacknowledged").check()
    expect(again).to_have_count(0)


def test_who_writes_a_note_is_not_disturbed_by_what_comes(open_page, served):
    page = open_page()
    item = page.locator("#episode-list > li").nth(4)
    item.locator("summary").click()
    note = item.get_by_label("Note")
    note.press_sequentially("half a wo")
    note.press("ArrowLeft")
    # Somebody else reviews another episode, and the list comes anew.
    other = page.locator("#episode-list > li").nth(5).get_attribute("data-episode")
    body = {"meter": LIBRARY.name, "episode": other, "act": "acknowledge"}
    answer = page.request.post(f"{served.url}/api/reviews", data=body)
    assert answer.status == 201, answer.text()
    page.evaluate("() => window.__page.loadEpisodes()")
    expect(page.locator(f'[data-episode="{other}"]')).to_contain_text("acknowledged")
    page.keyboard.type("rd of ")
    expect(note).to_have_value("half a wrd of o")


def test_a_link_leads_to_its_episode(open_page):
    page = open_page()
    link = page.locator("#episode-list > li").nth(2).locator("h3 a")
    address, text = link.get_attribute("href"), link.inner_text()
    other = open_page(address)
    chosen = other.locator("#episode-list > li[aria-current=true]")
    expect(chosen.locator("h3")).to_have_text(text)
    start = other.evaluate("() => window.__page.state.episodes[2].start")
    assert span(other)[0] < start < span(other)[1]


def test_a_link_to_an_episode_of_long_ago_finds_its_year(open_page):
    page = open_page("?episode=2023-12-24T05:00Z")
    assert page.evaluate("() => window.__page.state.place.year") == "2023"
    assert page.evaluate("() => window.__page.state.year.size") > 0


def test_an_episode_reads_sensibly_without_seeing_it(open_page):
    page = open_page()
    told = page.locator("#episode-list").aria_snapshot()
    first = told.split("- listitem")[1]
    when = r"\w{3} \d+ \w{3} 2024, \d\d:\d\d to .* E[SD]T"
    assert re.search(rf'- heading "{when}" \[level=3\]', first)
    assert re.search(r"(low|medium|high) severity · .* for .* · extreme reading [\d,.]+ kW", first)
    assert "▲" not in first
    assert re.search(r"Review.* the episode of", first)
