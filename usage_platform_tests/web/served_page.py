"""The page as people meet it: its own process, a broker that can be taken away, and Chromium.

Belongs here: starting and stopping these. Not here: what the page must do (`in_chromium`).
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.local.page_service import page_service
from usage_platform.local.process import ChildProcess, Service
from usage_platform.settings.settings import PREFIX

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, _NAMES)), None)
"""The command of the browser; None where there is none."""
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class ServedPage:
    """A page that is served.

    Attributes:
        url: Its address.
        data: The data folder.
        kafka: Where its broker is.
        broker: The broker, for a test that takes it away.
    """

    url: str
    data: Path
    kafka: KafkaSettings
    broker: ChildProcess


@contextmanager
def running(
    service: Service, meanwhile: Callable[[], None] = lambda: None
) -> Iterator[ChildProcess]:
    """A service from its first answer to its end; `meanwhile` is done while it starts."""
    child = ChildProcess(service)
    child.start()
    try:
        meanwhile()
        child.wait_ready(lambda text: None)
        yield child
    finally:
        child.stop()


@contextmanager
def page_of(data: Path, port: int, **settings: object) -> Iterator[str]:
    """The page of a data folder; its address."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
    given = {"data": data, **settings}
    env |= {f"{PREFIX}{key.upper()}": str(value) for key, value in given.items()}
    with running(page_service(data, env, port)):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def chromium() -> Iterator["Browser"]:
    """The Chromium of this machine, without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(_ARGUMENTS), headless=True
        )
        try:
            yield browser
        finally:
            browser.close()
