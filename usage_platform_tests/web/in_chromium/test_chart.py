"""The chart and the carpet in Chromium: what is drawn, and how one moves in it."""

import re

import pytest

from usage_platform_tests.web.in_chromium.opened_page import (
    IN_CHROMIUM,
    drawn,
    expect,
    readings_of,
    span,
)
from usage_platform_tests.web.made_lake import YEAR_DAYS

pytestmark = IN_CHROMIUM

FEWEST_TICKS = """async () => {
  const { timeTicks } = await import("/static/js/ticks.js");
  const { clock } = window.__page.state;
  const found = {};
  for (const width of [260, 390, 700, 1200]) {
    const counts = [];
    for (let hours = 1; hours < 26000; hours = Math.ceil(hours * 1.07)) {
      for (let first = 0; first < 40; first += 1) {
        const from = 1710806400 + first * 17 * 3600;
        counts.push(timeTicks(clock, from, from + hours * 3600, width).length);
      }
    }
    found[width] = Math.min(...counts);
  }
  return found;
}"""
"""The fewest ticks of spans of hours to three years, by the width of the axis in pixels."""

PIXELS_A_TICK = 76


def test_a_year_is_there_and_the_last_week_is_drawn_reading_by_reading(open_page, served):
    page = open_page()
    first, last = span(page)
    assert last - first == pytest.approx(7 * 86400)
    times, low, high, kw, _ = drawn(page)
    own = readings_of(served, round(first), round(last))
    assert [value for value in kw if value is not None] == pytest.approx(own["value"].tolist())
    assert times[0] == own["event_time"].iloc[0].value // 10**9
    assert all(a < b for a, b in zip(low, high, strict=True) if a is not None)
    assert page.evaluate("() => window.__page.state.year.size") > 104_000
    for title in ("Latest reading", "Base load", "Last 7 whole days", "This month"):
        expect(page.locator("#tiles")).to_contain_text(title)


def test_a_gap_is_a_gap_and_no_line_through_it(open_page, served):
    page = open_page()
    gap = page.evaluate("() => window.__page.state.overview.longest_gap")
    page.evaluate("gap => window.__page.view.span(gap.start - 7200, gap.end + 7200)", gap)
    times, _, _, kw, _ = drawn(page)
    missing = [at for at, value in zip(times, kw, strict=True) if value is None]
    assert set(range(gap["start"], gap["end"], 300)) <= set(missing)


def test_the_chart_is_zoomed_by_mouse_wheel_keys_and_buttons(open_page):
    page = open_page()
    chart = page.locator("#power-chart")
    box = page.locator("#power-chart .u-over").bounding_box()
    first, last = span(page)
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.25, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, middle, steps=4)
    page.mouse.up()
    dragged = span(page)
    assert dragged[1] - dragged[0] == pytest.approx((last - first) / 2, rel=0.02)
    assert dragged[0] == pytest.approx(first + (last - first) / 4, abs=(last - first) / 50)
    chart.focus()
    page.keyboard.press("+")
    assert span(page)[1] - span(page)[0] == pytest.approx((last - first) / 4, rel=0.02)
    page.keyboard.press("Shift+ArrowLeft")
    assert span(page)[0] < dragged[0] + (last - first) / 8
    page.keyboard.down("Control")
    page.mouse.wheel(0, 400)
    page.keyboard.up("Control")
    page.wait_for_timeout(50)
    assert span(page)[1] - span(page)[0] > (last - first) / 3
    page.get_by_role("button", name="All").click()
    assert len(drawn(page)[0]) >= YEAR_DAYS - 1
    page.get_by_role("button", name="Day", exact=True).click()
    assert span(page)[1] - span(page)[0] == pytest.approx(86400)


def test_a_key_moves_from_reading_to_reading_and_says_each(open_page):
    page = open_page()
    page.locator("#power-chart").focus()
    page.keyboard.press("ArrowLeft")
    said = page.locator("#power-said")
    expect(said).to_have_text(re.compile(r"23:55 EDT|23:55 EST"))
    expect(said).to_have_text(re.compile(r": [\d,.]+ kW, expected [\d,]+ to [\d,]+ kW"))
    page.keyboard.press("ArrowLeft")
    expect(said).to_have_text(re.compile("23:50"))


def test_a_click_on_the_carpet_shows_that_day_and_one_on_a_ring_its_episode(open_page):
    page = open_page()
    day = page.evaluate(
        """() => {
          const { view, state } = window.__page;
          const day = view.carpet.laid.first + 100;
          const { x } = view.carpet.spot(state.local.dayStart(day) + 43200);
          return { day, x, start: state.local.dayStart(day), end: state.local.dayStart(day + 1) };
        }"""
    )
    page.locator("#carpet").click(position={"x": day["x"], "y": 12})
    assert span(page) == (day["start"], day["end"])
    ring = page.evaluate(
        """() => {
          const { view, state } = window.__page;
          const { name, peak_at } = state.episodes[3];
          return { name, ...view.carpet.spot(peak_at) };
        }"""
    )
    page.locator("#carpet").click(position={"x": ring["x"], "y": ring["y"]})
    chosen = page.locator("#episode-list > li[aria-current=true]")
    expect(chosen).to_have_attribute("data-episode", ring["name"])


def test_an_axis_of_any_span_has_half_the_ticks_that_fit_or_more(open_page):
    found = open_page().evaluate(FEWEST_TICKS)
    assert found
    for width, fewest in found.items():
        assert fewest >= int(width) // (2 * PIXELS_A_TICK), width
