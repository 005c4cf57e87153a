"""What comes live in Chromium, from a broker that may be taken away.

The last of these files by its name: the readings that it puts on the topic show on every page.
"""

import json
import re

import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import ANOMALY
from usage_platform.adapters.lake.tables import Lake
from usage_platform_tests.conftest import table_writer
from usage_platform_tests.stray_messages import ANOMALY as ANOMALY_MESSAGE
from usage_platform_tests.topics import put_events
from usage_platform_tests.web.in_chromium.conftest import LIBRARY
from usage_platform_tests.web.in_chromium.opened_page import IN_CHROMIUM, drawn, expect
from usage_platform_tests.web.made_lake import YEAR_DAYS, write_readings

pytestmark = IN_CHROMIUM


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


def test_an_anomaly_is_marked_as_it_is_published_and_unmarked_when_it_is_withdrawn(
    open_page, served
):
    page = open_page()
    newest = page.evaluate("() => window.__page.state.year.newest()")
    at = pd.Timestamp(newest["at"], unit="s", tz="UTC")
    anomaly = {
        **ANOMALY_MESSAGE,
        "meter": LIBRARY.name,
        "ts": at.isoformat(),
        "usage": newest["kw"],
    }
    put_events(served.kafka, [json.dumps(anomaly).encode()], ANOMALY)
    tile = page.locator(".tile").first
    expect(tile).to_contain_text("anomaly: see the episodes")
    put_events(served.kafka, [json.dumps({**anomaly, "status": "withdrawn"}).encode()], ANOMALY)
    expect(tile).not_to_contain_text("anomaly: see the episodes")


def test_without_its_broker_the_page_says_so_and_goes_on_by_itself(open_page, served):
    page = open_page()
    banner = page.locator("#banner")
    expect(banner).to_be_hidden()
    served.broker.stop()
    expect(banner).to_contain_text("No live data", timeout=60_000)
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
