"""The page on a lake that is on S3: what it shows is there, what people say is kept there."""

from pathlib import Path

import pandas as pd
import pytest
from starlette.testclient import TestClient

from usage_platform.settings.settings import Settings
from usage_platform.web.app import create_app
from usage_platform.web.source import PageSource
from usage_platform.wiring.platform import Platform
from usage_platform_tests.web.conftest import METER, fill, no_kafka

pytestmark = pytest.mark.aws

# Each day is a file more to put and to ask for.
SINCE = pd.Timestamp("2024-03-18T00:00", tz=METER.zone)
EPISODE = "2024-03-19T17:00Z"


@pytest.fixture(scope="module")
def own(readings) -> pd.DataFrame:
    return readings[(readings["meter"] == METER.name) & (readings["event_time"] >= SINCE)]


@pytest.fixture
def page(s3_lake, own, tmp_path: Path) -> TestClient:
    fill(s3_lake, own)
    settings = Settings(data=tmp_path, lake=s3_lake.root, meter=METER.name, interval_minutes=60)
    app = create_app(PageSource.of(Platform(settings)), no_kafka)
    return TestClient(app, base_url="http://127.0.0.1:8050")


def test_the_page_shows_and_keeps_what_is_on_s3(page, own):
    now = page.get("/api/overview?meter=m").json()["now"]
    last = own.iloc[-1]
    assert (now["at"], now["kw"]) == (last["event_time"].value // 10**9, last["value"])
    assert (now["low"], now["high"]) == (300.0, 1000.0)
    hours = page.get("/api/export?meter=m&what=hours&format=csv").text.splitlines()
    assert len(hours) == 1 + len(own)
    review = {"meter": "m", "episode": EPISODE, "act": "acknowledge"}
    assert page.post("/api/reviews", json=review).status_code == 201
    (episode,) = page.get("/api/episodes?meter=m").json()["episodes"]
    assert episode["name"] == EPISODE
    assert episode["review"]["acknowledged_at"] is not None
