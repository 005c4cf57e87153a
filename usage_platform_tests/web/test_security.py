import json
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from usage_platform.services.page_data import YearCache
from usage_platform.web.app import STATIC, create_app
from usage_platform.web.security import HEADERS
from usage_platform.web.source import PageSource
from usage_platform.wiring.platform import Platform
from usage_platform_tests.web.conftest import client_of, no_kafka, settings_of

BODY = json.dumps({"meter": "m", "episode": "2024-03-05T08:00Z", "act": "acknowledge"})
JSON = {"Content-Type": "application/json"}


def test_every_answer_carries_the_headers_errors_too(page):
    for path in ("/api/meters", "/static/index.html", "/nothing", "/api/series?year=x"):
        headers = page.get(path).headers
        assert {name: headers.get(name) for name in HEADERS} == HEADERS, path
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize("host", ["127.0.0.1:8050", "localhost:1", "[::1]:8050", "page.example"])
def test_the_pages_own_names_are_served(made_once, host):
    page = client_of(made_once, "page.example")
    assert page.get("/api/meters", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[", "a@b"])
def test_a_name_that_points_here_from_elsewhere_is_refused(page, host):
    answer = page.get("/api/meters", headers={"Host": host})
    assert answer.status_code == 421
    assert "USAGE_PAGE_HOST" in answer.json()["error"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://127.0.0.1:8050", "Sec-Fetch-Site": "same-origin", **JSON}, 201),
        (JSON, 201),
        ({"Origin": "http://evil.example", **JSON}, 403),
        ({"Origin": "http://127.0.0.1:3000", **JSON}, 403),
        ({"Origin": "null", **JSON}, 403),
        ({"Sec-Fetch-Site": "cross-site", **JSON}, 403),
        ({"Sec-Fetch-Site": "same-site", **JSON}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_only_the_page_itself_may_keep_something(own_lake, headers, status):
    answer = client_of(own_lake).post("/api/reviews", content=BODY, headers=headers)
    assert answer.status_code == status, answer.text


def test_a_large_body_is_refused_before_it_is_read(page):
    large = BODY + " " * 20_000
    assert page.post("/api/reviews", content=large, headers=JSON).status_code == 413
    chunks = page.post("/api/reviews", content=iter([BODY.encode()]), headers=JSON)
    assert chunks.status_code == 413
    both = {**JSON, "Content-Length": "5", "Transfer-Encoding": "chunked"}
    refused = page.post("/api/reviews", content=iter([large.encode()]), headers=both)
    assert refused.status_code == 413
    for length in ("0" * 20 + "99999", "9" * 5000, "²", "-1"):
        headers = {**JSON, "Content-Length": length.encode()}
        refused = page.post("/api/reviews", content=BODY, headers=headers)
        assert refused.status_code == 413, length


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/vendor/.."]
)
def test_no_other_file_is_served(page, path):
    assert page.get(path).status_code == 404


def test_without_the_scripts_of_others_the_page_says_what_to_run(made_once, tmp_path):
    source = PageSource.of(Platform(settings_of(made_once)))
    app = create_app(source, no_kafka, vendor=tmp_path)
    answer = TestClient(app, base_url="http://localhost").get("/?meter=m")
    assert (answer.status_code, "make setup" in answer.text) == (503, True)


def imported_from(script: str) -> set[str]:
    """The modules that a script needs, those of its modules too."""
    found: set[str] = set()
    waiting = [script]
    while waiting:
        text = (STATIC / "js" / waiting.pop()).read_text("utf-8")
        new = set(re.findall(r'^import .* from "\./([^"]+)";$', text, re.MULTILINE)) - found
        found |= new
        waiting += new
    return found


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("index", "main.js"),
        ("fleet", "fleet.js"),
        ("compare", "compare.js"),
        ("parts", "parts.js"),
    ],
)
def test_all_modules_are_named_at_the_top_so_that_they_come_at_once(name, script):
    text = (STATIC / f"{name}.html").read_text("utf-8")
    assert f'<script type="module" src="/static/js/{script}">' in text
    named = re.findall(r'modulepreload" href="/static/js/([^"]+)"', text)
    assert sorted(named) == sorted(imported_from(script))


def test_each_script_belongs_to_a_page():
    scripts = {"main.js", "fleet.js", "compare.js", "parts.js"}
    needed = scripts.union(*map(imported_from, scripts))
    assert needed == {path.name for path in (STATIC / "js").iterdir()}


@pytest.mark.parametrize("script", ["main.js", "fleet.js", "compare.js", "parts.js"])
def test_each_page_shows_what_is_wrong_with_brokers_and_lake(script):
    assert "standing.js" in imported_from(script)


def test_a_lake_that_cannot_be_read_is_one_line(own_lake):
    log = Path(own_lake.root) / "deltalake" / "readings" / "_delta_log"
    for file in log.iterdir():
        file.write_text("{damaged")
    answer = client_of(own_lake).get("/api/series?meter=m")
    assert answer.status_code == 503
    assert "readings" in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


def test_a_failure_is_one_line_with_the_headers_and_without_its_reason(made_once, monkeypatch):
    def fails(self, *args):
        raise RuntimeError("secret reason")

    app = create_app(PageSource.of(Platform(settings_of(made_once))), no_kafka)
    monkeypatch.setattr(YearCache, "year", fails)
    page = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
    answer = page.get("/api/series")
    assert answer.status_code == 500
    assert answer.json() == {"error": "the request failed; the page's log has the reason"}
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_a_foreign_page_reads_nothing_but_may_link_to_the_page(page):
    foreign = {"Sec-Fetch-Site": "cross-site"}
    for mode in ("no-cors", "cors", "websocket", None):
        headers = foreign if mode is None else {**foreign, "Sec-Fetch-Mode": mode}
        assert page.get("/api/meters", headers=headers).status_code == 403
    assert page.get("/api/meters", headers={**foreign, "Sec-Fetch-Mode": "navigate"}).is_success


def test_a_foreign_page_opens_no_websocket(page):
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        page.websocket_connect("/api/stream", headers={"Origin": "http://evil.example"}),
    ):
        pass
    assert refused.value.code == 1008


_NUMBERS = ["0" * 13 + "1", "0" * 5000 + "1", "9" * 5000, "\u00b2", "\u0663", "-1", "1e3", "\x00"]


@pytest.mark.parametrize("path", ["series", "overview", "hours", "export", "shape", "episodes"])
@pytest.mark.parametrize("names", [("year",), ("from", "to"), ("to",), ("meter",)])
def test_no_parameter_makes_the_page_fail(page, path, names):
    for text in _NUMBERS:
        answer = page.get(f"/api/{path}", params=dict.fromkeys(names, text))
        assert answer.status_code < 500
        if answer.is_client_error:
            assert "\n" not in answer.json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        "[" * 10_000,
        '{"a":' * 3000,
        "1" * 10_000,
        '{"meter":' + "1" * 9000 + "}",
        "NaN",
        b"\xff\xfe",
        "",
        *(
            json.dumps({"meter": "m", "episode": name, "act": "acknowledge"})
            for name in (
                "0000-01",
                "9999",
                "-001",
                "",
                "99999999",
                "2024\ud800",
                "\u0662024",
                "....",
            )
        ),
    ],
)
def test_no_body_makes_the_page_fail(own_lake, body):
    answer = client_of(own_lake).post("/api/reviews", content=body, headers=JSON)
    assert answer.status_code in (400, 404)
    assert "\n" not in answer.json()["error"]
    assert len(answer.json()["error"]) < 300


def test_a_table_of_which_a_file_is_cut_off_is_one_line(own_lake):
    tables = Path(own_lake.root) / "deltalake"
    for file in tables.glob("*/*/*.parquet"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    page = client_of(own_lake)
    for path in ("series", "episodes", "overview", "export?what=hours", "meters"):
        answer = page.get(f"/api/{path}")
        assert answer.status_code == 503, path
        assert "\n" not in answer.json()["error"]
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
