"""One server, one broker and one browser for these tests; each opens a page of its own."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from usage_platform.adapters.kafka.topics import KafkaSettings, ensure_topics
from usage_platform.adapters.lake.tables import Lake
from usage_platform.core.meters import Meter
from usage_platform.local.broker import broker_service
from usage_platform.local.page_scripts import ensure_scripts
from usage_platform_tests.conftest import DATA_DIR, table_writer
from usage_platform_tests.made_findings import finding, write_findings
from usage_platform_tests.web.made_fleet import make_fleet
from usage_platform_tests.web.made_lake import YEAR_DAYS, make_year
from usage_platform_tests.web.served_page import ServedPage, chromium, page_of, running

if TYPE_CHECKING:
    from playwright import sync_api

LIBRARY = Meter("central-library")
HOSTILE = Meter("<img src=x onerror=alert(1)>", "Europe/Rome", 60)

FINDINGS = (8000, 400)
"""The library's findings: kWh a year, the costliest first."""

FLEET_METERS = 64

A_METER = f"?meter={LIBRARY.name}"
"""The page of a meter; without it the first page is that of all meters."""

Open = Callable[..., "sync_api.Page"]


@pytest.fixture(scope="package")
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
    lake = Lake(str(folder / "lake"))
    make_year(lake, table_writer, (LIBRARY, HOSTILE), YEAR_DAYS)
    write_findings(lake, *(finding(number, LIBRARY.name) for number in FINDINGS))


@pytest.fixture(scope="package")
def fleet_url(served, tmp_path_factory, unused_port) -> Iterator[str]:
    """The page of a lake of many meters, on the broker of the other tests."""
    folder = tmp_path_factory.mktemp("fleet")
    lake = Lake(str(folder / "lake"))
    make_fleet(lake, table_writer, FLEET_METERS)
    write_findings(lake, finding(8000, "lab-01"), finding(400, "gym-02"))
    with page_of(folder, unused_port(), kafka_bootstrap=served.kafka.bootstrap) as url:
        yield url


@pytest.fixture(scope="package")
def browser() -> Iterator["sync_api.Browser"]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def open_page(browser, served) -> Iterator[Open]:
    """Open a page and wait until it is drawn; it must say nothing wrong and ask nobody else."""
    contexts, said, asked = [], [], []

    def open_it(
        query: str = A_METER, url: str = served.url, refused: int = 0, **look: object
    ) -> "sync_api.Page":
        """`refused` is the status of requests that the server is to refuse: Chromium logs them."""

        def log(message: "sync_api.ConsoleMessage") -> None:
            if not refused or f"status of {refused} " not in message.text:
                said.append(message.text)

        look = {"viewport": {"width": 1280, "height": 900}, "timezone_id": "Europe/Paris", **look}
        context = browser.new_context(**look)
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", log)
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
