"""The page in a real browser, on a year of readings, with a broker of its own.

One server and one browser for the whole file; each test opens a page of its own.
"""

import csv
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pytest

from usage_platform.adapters.kafka_topics import ANOMALY, KafkaSettings, ensure_topics
from usage_platform.adapters.label_store import LabelStore
from usage_platform.adapters.lake_files import LakeFiles
from usage_platform.adapters.lake_reader import LakeReader
from usage_platform.adapters.lake_tables import READINGS, Lake
from usage_platform.core.meters import Meter
from usage_platform.local.broker import broker_service
from usage_platform.local.page_scripts import accessibility_checker, ensure_scripts
from usage_platform_tests.conftest import DATA_DIR, table_writer
from usage_platform_tests.topics import put_events
from usage_platform_tests.web.made_lake import YEAR_DAYS, make_year, write_readings
from usage_platform_tests.web.served_page import CHROMIUM, ServedPage, chromium, page_of, running

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.kafka,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}"),
]
expect = sync_api.expect

LIBRARY = Meter("central-library")
HOSTILE = Meter("<img src=x onerror=alert(1)>", "Europe/Rome", 60)
MARCH, NOVEMBER = "2024-03-10", "2024-11-03"
"""The local days on which Boston's clocks change."""

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""What axe is asked for."""

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

Open = Callable[..., "sync_api.Page"]


@pytest.fixture(scope="module")
def served(java, jar_folders, unused_port, tmp_path_factory) -> Iterator[ServedPage]:
    folder = tmp_path_factory.mktemp("served")
    port = unused_port()
    kafka = KafkaSettings(f"127.0.0.1:{port}")
    service = broker_service(java, jar_folders.kafka, folder, os.environ, port, unused_port())
    # The broker comes up while the lake is made.
    with running(service, lambda: _make_lake(folder)) as broker:
        ensure_topics(kafka)
        settings = {"kafka_bootstrap": kafka.bootstrap, "tariff": 0.2}
        with page_of(folder, unused_port(), **settings) as url:
            yield ServedPage(url, folder, kafka, broker)


def _make_lake(folder: Path) -> None:
    ensure_scripts(DATA_DIR, print)
    make_year(Lake(str(folder / "lake")), table_writer, (LIBRARY, HOSTILE), YEAR_DAYS)


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def open_page(browser, served) -> Iterator[Open]:
    """Open a page and wait until it is drawn; it must say nothing wrong and ask nobody else."""
    contexts, said, asked = [], [], []

    def open_it(query: str = "", url: str = served.url, **look: object) -> "sync_api.Page":
        look = {"viewport": {"width": 1280, "height": 900}, "timezone_id": "Europe/Paris", **look}
        context = browser.new_context(**look)
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{url}/{query}")
        page.wait_for_selector("html[data-ready]")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert said == []
    assert {re.match(r"http://127\.0\.0\.1:\d+/", url) is not None for url in asked} <= {True}


def drawn(page: "sync_api.Page") -> list[list[float | None]]:
    """The chart's columns: times, low, high, line, expected."""
    return page.evaluate("() => window.__page.view.chart.data()")


def span(page: "sync_api.Page") -> tuple[float, float]:
    place = page.evaluate("() => window.__page.state.place")
    return place["from"], place["to"]


def seconds(local: str, zone: str = LIBRARY.timezone) -> int:
    return pd.Timestamp(local, tz=zone).value // 10**9


def table_rows(page: "sync_api.Page") -> list[list[str]]:
    texts = "rows => rows.map((row) => [...row.cells].map((cell) => cell.innerText))"
    return page.locator("#hours tbody tr").evaluate_all(texts)


def show(page: "sync_api.Page", first: str, last: str) -> None:
    """Show a span of local time."""
    page.evaluate(
        "([from, to]) => window.__page.view.span(from, to)", [seconds(first), seconds(last)]
    )


def readings_of(served: ServedPage, first: int, last: int) -> pd.DataFrame:
    rows = LakeReader(Lake(str(served.data / "lake"))).rows(READINGS, meters=[LIBRARY.name])
    at = rows["event_time"].to_numpy("datetime64[s]").astype(int)
    return rows[(at >= first) & (at < last)].sort_values("event_time")


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


def test_what_a_person_says_of_an_episode_is_there_after_loading_again(open_page, served):
    page = open_page()
    item = page.locator("#episode-list > li").nth(1)
    name = item.get_attribute("data-episode")
    item.locator("summary").click()
    item.get_by_label("Note").fill("donors' evening <b>x</b>")
    item.get_by_role("button", name="Keep the note").click()
    expect(item.locator(".said")).to_contain_text("donors' evening <b>x</b>")
    item.get_by_role("button", name="Label: planned").click()
    expect(item).to_contain_text("acknowledged, labelled planned")
    page.reload()
    again = page.locator(f'[data-episode="{name}"]')
    expect(again).to_contain_text("acknowledged, labelled planned")
    labels = LabelStore(LakeFiles(Lake(str(served.data / "lake")).assets)).read()
    assert labels["says"].tolist() == ["planned"]
    page.get_by_label("only those nobody has acknowledged").check()
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
    assert re.search(r"(low|medium|high) severity · .* for .* · farthest [\d,.]+ kW", first)
    assert "▲" not in first
    assert re.search(r"Review.* the episode of", first)


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
    page.evaluate(accessibility_checker(DATA_DIR).read_text("utf-8"))
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
    page.wait_for_timeout(100)
    paper = page.evaluate(colors)
    assert paper["paper"] == "#fff"
    assert {name for name in paper if paper[name] == dark[name]} == set()
    expect(page.get_by_role("button", name="Week")).to_be_hidden()
    expect(page.locator("#episode-list > li").first).to_be_visible()


def test_an_empty_lake_says_so_and_breaks_nothing(open_page, served, tmp_path, unused_port):
    with page_of(tmp_path, unused_port(), kafka_bootstrap=served.kafka.bootstrap) as url:
        page = open_page(url=url)
        expect(page.locator("#hours-note")).to_contain_text("No readings yet")
        expect(page.locator("#episodes-count")).to_contain_text("0 episodes")
        expect(page.locator("#tiles")).to_contain_text("no reading yet")
        expect(page.locator("#banner")).to_be_hidden()
        page.close()


def test_a_reading_appears_with_its_band_as_it_comes_and_stays_when_the_lake_has_it(
    open_page, served
):
    page = open_page()
    newest = page.evaluate("() => window.__page.state.year.newest().at")
    at = pd.Timestamp(newest + 300, unit="s", tz="UTC")
    event = {"meter": LIBRARY.name, "ts": at.isoformat(), "value": 499.9}
    put_events(served.kafka, [json.dumps(event).encode()])
    tile = page.locator(".tile").first
    expect(tile).to_contain_text("499.9 kW")
    expect(tile).to_contain_text(re.compile(r"expected \d+ to \d+ kW"))
    told = tile.inner_text()
    assert drawn(page)[3][-1] == pytest.approx(499.9)
    version = page.evaluate("() => window.__page.state.version")
    times = pd.DatetimeIndex([at]).as_unit("ns")
    row = pd.DataFrame({"meter": LIBRARY.name, "event_time": times, "value": 499.9})
    write_readings(Lake(str(served.data / "lake")), table_writer, row)
    overview = "**/api/overview*"
    with page.expect_response(overview):
        pass
    assert page.evaluate("() => window.__page.state.version") != version
    assert tile.inner_text() == told


def test_an_odd_reading_is_marked_as_it_is_told_and_unmarked_when_it_is_withdrawn(
    open_page, served
):
    page = open_page()
    newest = page.evaluate("() => window.__page.state.year.newest()")
    at = pd.Timestamp(newest["at"], unit="s", tz="UTC")
    odd = {"meter": LIBRARY.name, "ts": at.isoformat(), "usage": newest["kw"], "direction": "above"}
    put_events(served.kafka, [json.dumps({**odd, "status": "told"}).encode()], ANOMALY)
    tile = page.locator(".tile").first
    expect(tile).to_contain_text("odd: see the episodes")
    put_events(served.kafka, [json.dumps({**odd, "status": "withdrawn"}).encode()], ANOMALY)
    expect(tile).not_to_contain_text("odd: see the episodes")


def test_without_its_broker_the_page_says_so_and_goes_on_by_itself(open_page, served):
    page = open_page()
    banner = page.locator("#banner")
    expect(banner).to_be_hidden()
    served.broker.stop()
    expect(banner).to_contain_text("Nothing live", timeout=60_000)
    page.get_by_role("button", name="All").click()
    assert len(drawn(page)[0]) >= YEAR_DAYS - 1
    served.broker.start()
    served.broker.wait_ready(lambda text: None)
    expect(banner).to_be_hidden(timeout=60_000)
    newest = page.evaluate("() => window.__page.state.year.newest().at")
    ts = pd.Timestamp(newest + 300, unit="s", tz="UTC").isoformat()
    event = {"meter": LIBRARY.name, "ts": ts, "value": 488.8}
    put_events(served.kafka, [json.dumps(event).encode()])
    expect(page.locator(".tile").first).to_contain_text("488.8 kW")
