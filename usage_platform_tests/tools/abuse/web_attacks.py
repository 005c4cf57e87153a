"""What a foreign web page may try on the pages, by what a browser would send for it.

Belongs here: requests that name a foreign origin. Not here: connections that no browser makes
(`connection_attacks`).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from usage_platform_tests.tools.abuse.attack import Attack, Attempt, By, Tried, worked

EVIL = "http://evil.example"
WITHIN_S = 30
_JSON = {"Content-Type": "application/json"}
_TEXT = {"Content-Type": "text/plain"}
_CROSS_SITE = {"Sec-Fetch-Site": "cross-site"}
READ = Attack("reading", By.PAGE)
FRAME = Attack("a frame", By.PAGE)
REBINDING = Attack("DNS rebinding", By.PAGE)
BY_GET = Attack("a change by GET", By.PAGE)
FORM = Attack("a form", By.PAGE)
JSON_OF_ANOTHER_ORIGIN = Attack("JSON from another origin", By.PAGE)
WEBSOCKET = Attack("a WebSocket", By.PAGE)


@dataclass(frozen=True)
class Site:
    """One of the web servers.

    Attributes:
        name: For the printed lines.
        url: Where it is.
        reads: Paths of data that a foreign page would like to have.
        changes: Path to which a change is sent.
        change: The body that makes a change; None for another change each time.
        state: What a change changes.
        websocket: Path at which a WebSocket may be opened.
    """

    name: str
    url: str
    reads: Sequence[str]
    changes: str
    change: Callable[[], dict[str, str]]
    state: Callable[[], object]
    websocket: str

    @property
    def host(self) -> str:
        """Its name and port."""
        return self.url.removeprefix("http://")


def attempts(site: Site) -> list[Attempt]:
    """All attacks of a foreign page on a site."""
    tries = {
        READ: _read,
        FRAME: _framed,
        REBINDING: _rebound,
        BY_GET: partial(_changed, ways=_by_get),
        FORM: partial(_changed, ways=_by_form),
        JSON_OF_ANOTHER_ORIGIN: partial(_changed, ways=_by_json),
        WEBSOCKET: _websocket,
    }
    return [Attempt(attack, site.name, partial(run, site)) for attack, run in tries.items()]


def _ask(site: Site, path: str, headers: dict[str, str]) -> requests.Response:
    return requests.get(f"{site.url}/{path}", headers=headers, timeout=WITHIN_S)


def _read(site: Site) -> Tried:
    seen = set()
    for path in site.reads:
        assert _ask(site, path, {}).ok, f"its own page cannot read {path}"
        for mode in ("no-cors", "cors", "websocket"):
            answer = _ask(site, path, {**_CROSS_SITE, "Sec-Fetch-Mode": mode})
            seen.add(answer.status_code)
        # A browser that sends no Sec-Fetch headers: it hands nothing over without this header.
        answer = _ask(site, path, {"Origin": EVIL})
        allowed = answer.headers.get("Access-Control-Allow-Origin")
        if allowed is not None:
            return worked(True, f"{path}: Access-Control-Allow-Origin {allowed}")
    return worked(min(seen) < 400, f"status {sorted(seen)}")


def _framed(site: Site) -> Tried:
    headers = {**_CROSS_SITE, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    answer = _ask(site, "", headers)
    policy = answer.headers.get("Content-Security-Policy", "")
    return worked(answer.ok and "frame-ancestors 'none'" not in policy, policy[-60:])


def _rebound(site: Site) -> Tried:
    """A name of the attacker's that resolves to this machine: to a browser the same origin."""
    name = f"evil.example:{site.host.rpartition(':')[2]}"
    seen = {_ask(site, path, {"Host": name}).status_code for path in site.reads}
    if min(seen) < 400:
        return worked(True, f"status {sorted(seen)}")
    headers = {**_JSON, "Host": name, "Origin": f"http://{name}"}
    return _changed(site, lambda change: [{"method": "POST", "json": change, "headers": headers}])


def _by_get(change: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"method": method, "params": change, "headers": headers}
        for method in ("GET", "HEAD")
        for headers in ({}, {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", **_CROSS_SITE})
    ]


def _by_form(change: dict[str, str]) -> list[dict[str, Any]]:
    body = json.dumps(change)
    return [
        {"method": "POST", "data": change, "headers": {"Origin": EVIL}},
        {"method": "POST", "data": change, "headers": {}},
        {"method": "POST", "params": change, "headers": {}},
        {"method": "POST", "files": {"x": body}, "headers": _CROSS_SITE},
        {"method": "POST", "data": body, "headers": _TEXT},
        {"method": "POST", "data": body, "headers": {"Content-Type": "text/plain; x/json"}},
    ]


def _by_json(change: dict[str, str]) -> list[dict[str, Any]]:
    origins = (
        *({"Origin": EVIL}, {"Origin": "null"}, {"Origin": "http://[::1"}),
        *({"Origin": "http://127.0.0.1:1"}, _CROSS_SITE, {"Sec-Fetch-Site": "same-site"}),
    )
    return [
        {"method": "POST", "json": change, "headers": {**_JSON, **headers}} for headers in origins
    ]


def _changed(site: Site, ways: Callable[[dict[str, str]], list[dict[str, Any]]]) -> Tried:
    """Try to change something in several ways; its own page can, so that a change would show."""
    before, seen = site.state(), set()
    for way in ways(site.change()):
        answer = requests.request(url=f"{site.url}/{site.changes}", timeout=WITHIN_S, **way)
        seen.add(answer.status_code)
    if site.state() != before:
        return worked(True, f"status {sorted(seen)}")
    own = {**_JSON, "Origin": site.url, "Sec-Fetch-Site": "same-origin"}
    requests.post(f"{site.url}/{site.changes}", json=site.change(), headers=own, timeout=WITHIN_S)
    assert site.state() != before, "its own page cannot change anything either"
    return worked(False, f"status {sorted(seen)}")


def _websocket(site: Site) -> Tried:
    address = f"ws://{site.host}/{site.websocket}"
    for headers in ({"Origin": EVIL}, {"Origin": "null"}, _CROSS_SITE):
        try:
            with connect(address, additional_headers=headers, open_timeout=WITHIN_S):
                return worked(True, f"opened with {headers}")
        except InvalidStatus as refused:
            seen = refused.response.status_code
    return worked(False, f"status {seen}")
