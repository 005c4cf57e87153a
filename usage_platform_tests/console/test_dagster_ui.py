"""Dagster's pages are served to their own user's browser, and obey no foreign page.

Dagster's real app on a real port; its instance has one asset whose record an attack would delete.
"""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from dagster import AssetKey, AssetMaterialization, DagsterInstance
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from usage_platform.console import dagster_ui
from usage_platform.console.dagster_ui import guarded
from usage_platform.web.http_server import http_server, listening_on
from usage_platform_tests.topics import until
from usage_platform_tests.web.served_page import CHROMIUM, chromium

KEY = AssetKey("kept")
WIPE = (
    'mutation { wipeAssets(assetPartitionRanges: [{assetKey: {path: ["kept"]}}]) { __typename } }'
)
JSON = {"Content-Type": "application/json"}
EVIL = "http://evil.example"


@dataclass(frozen=True)
class Ui:
    url: str
    instance: DagsterInstance

    def post(self, query: str, **headers: str) -> requests.Response:
        return requests.post(
            f"{self.url}/graphql", json.dumps({"query": query}), headers=JSON | headers, timeout=60
        )

    @property
    def has_record(self) -> bool:
        return self.instance.get_latest_materialization_event(KEY) is not None


@contextmanager
def _served(folder: Path, port: int, read_only: bool = False) -> Iterator[Ui]:
    (folder / "dagster.yaml").write_text("telemetry:\n  enabled: false\nnux:\n  enabled: false\n")
    (folder / "workspace.yaml").write_text("load_from: []\n")
    with pytest.MonkeyPatch.context() as patch, DagsterInstance.from_config(str(folder)) as own:
        patch.setenv("DAGSTER_HOME", str(folder))
        own.report_runless_asset_event(AssetMaterialization(KEY))
        with (
            dagster_ui._app(folder / "workspace.yaml", read_only) as app,
            listening_on(port) as listening,
        ):
            server = http_server(guarded(app, "ui.example"), dagster_ui.RULES.headers)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            until(lambda: server.started)
            try:
                yield Ui(f"http://127.0.0.1:{port}", own)
            finally:
                server.should_exit = True
                thread.join(30)


@pytest.fixture(scope="module")
def ui(unused_port, tmp_path_factory) -> Iterator[Ui]:
    with _served(tmp_path_factory.mktemp("ui"), unused_port()) as served:
        yield served


@pytest.mark.parametrize(
    ("method", "sent", "headers", "status"),
    [
        ("GET", {"params": {"query": WIPE}}, {}, 405),
        ("HEAD", {"params": {"query": WIPE}}, {}, 405),
        ("GET", {"params": {"query": WIPE}}, {"Accept": "text/html", "Origin": EVIL}, 200),
        ("POST", {"data": {"query": WIPE}}, {}, 415),
        ("POST", {"params": {"query": WIPE}}, {"Content-Type": "text/plain"}, 415),
        ("POST", {"params": {"query": WIPE}}, {}, 415),
        ("POST", {"json": {"query": WIPE}}, {"Content-Type": "application/graphql"}, 415),
        ("POST", {"json": {"query": WIPE}}, {"Content-Type": "text/plain; application/json"}, 415),
        ("POST", {"json": {"query": WIPE}}, {"Origin": EVIL}, 403),
        ("POST", {"json": {"query": WIPE}}, {"Origin": "null"}, 403),
        ("POST", {"json": {"query": WIPE}}, {"Origin": "http://[::1"}, 403),
        ("POST", {"json": {"query": WIPE}}, {"Origin": "http://127.0.0.1:8050"}, 403),
        ("POST", {"json": {"query": WIPE}}, {"Sec-Fetch-Site": "cross-site"}, 403),
        ("POST", {"json": {"query": WIPE}}, {"Sec-Fetch-Site": "same-site"}, 403),
        ("POST", {"json": {"query": WIPE}}, {"Host": "evil.example"}, 421),
        ("POST", {"json": {"query": WIPE}}, {"Host": "evil.example", "Origin": EVIL}, 421),
    ],
)
def test_no_mutation_of_a_foreign_page_is_executed(ui, method, sent, headers, status):
    answer = requests.request(method, f"{ui.url}/graphql", headers=headers, timeout=60, **sent)
    assert answer.status_code == status, answer.text
    assert ui.has_record


@pytest.mark.parametrize(
    "headers", [{"Origin": EVIL}, {"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_foreign_page_reports_no_event_and_reads_nothing(ui, headers):
    report = requests.post(
        f"{ui.url}/report_asset_materialization/forged", headers=headers, timeout=60
    )
    assert report.status_code in (403, 421)
    assert ui.instance.get_latest_materialization_event(AssetKey("forged")) is None
    image = {**headers, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    for path in ("server_info", "download_debug/any", "logs/any"):
        assert requests.get(f"{ui.url}/{path}", headers=image, timeout=60).status_code in (403, 421)


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        ("127.0.0.1", {"Origin": EVIL}),
        ("127.0.0.1", {"Sec-Fetch-Site": "cross-site"}),
        ("evil.example", {}),
        ("evil.example", {"Origin": "http://evil.example"}),
    ],
)
def test_a_foreign_page_opens_no_websocket(ui, host, headers):
    port = ui.url.rpartition(":")[2]
    with (
        socket.create_connection(("127.0.0.1", int(port))) as sock,
        pytest.raises(InvalidStatus, match="403"),
        connect(f"ws://{host}:{port}/graphql", sock=sock, additional_headers=headers),
    ):
        pass


@pytest.mark.parametrize("origin", [None, "own"])
def test_its_own_page_and_programs_open_a_websocket(ui, origin):
    headers = {} if origin is None else {"Origin": ui.url}
    address = ui.url.replace("http", "ws") + "/graphql"
    with connect(address, additional_headers=headers, subprotocols=["graphql-ws"]) as opened:
        opened.send('{"type": "connection_init"}')
        assert json.loads(opened.recv(30)) == {"type": "connection_ack"}


@pytest.mark.parametrize("path", ["", "graphql", "runs", "favicon.svg", "nothing.js", "logs/none"])
def test_every_response_carries_the_headers_and_leaves_dagsters_policy(ui, path):
    answer = requests.get(f"{ui.url}/{path}", headers={"Accept": "text/html"}, timeout=60)
    for name, value in dagster_ui.RULES.headers.items():
        assert answer.headers[name] == value
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    if path == "runs":
        assert "script-src 'nonce-" in answer.headers["Content-Security-Policy"]


def test_an_additional_name_is_served(ui):
    answer = requests.get(f"{ui.url}/server_info", headers={"Host": "ui.example"}, timeout=60)
    assert answer.json()["dagster_version"]


def test_read_only_refuses_mutations_and_answers_queries(tmp_path, unused_port):
    with _served(tmp_path, unused_port(), read_only=True) as ui:
        assert "UnauthorizedError" in ui.post(WIPE).text
        assert ui.has_record
        assert ui.post("{ version }").json()["data"]["version"]


def test_its_own_page_may_do_what_a_foreign_one_may_not(tmp_path, unused_port):
    with _served(tmp_path, unused_port()) as ui:
        assert "AssetWipeSuccess" in ui.post(WIPE, Origin=ui.url).text
        assert not ui.has_record


@pytest.mark.browser
@pytest.mark.timeout(240)
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on the PATH")
def test_dagsters_pages_work_in_a_browser_and_no_policy_is_violated(ui):
    said: list[str] = []
    with chromium() as browser:
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{ui.url}/assets")
        page.get_by_text("kept").first.wait_for(timeout=60_000)
        page.goto(f"{ui.url}/runs")
        page.get_by_text("Runs").first.wait_for(timeout=60_000)
    assert [line for line in said if "Security Policy" in line or "blocked" in line] == []


@pytest.mark.browser
@pytest.mark.timeout(240)
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on the PATH")
def test_a_foreign_page_in_a_browser_changes_nothing(ui, unused_port):
    with chromium() as browser:
        page = browser.new_page()
        page.route(f"{EVIL}/**", lambda route: route.fulfill(body=ATTACK, content_type="text/html"))
        page.goto(f"{EVIL}/")
        found = page.evaluate("([url, query]) => attack(url, query)", [ui.url, WIPE])
    assert set(found) == {"get", "image", "text", "form", "json", "frame", "websocket"}
    assert set(found.values()) == {"no answer"}, found
    assert ui.has_record


ATTACK = """<script>
const tried = (promise) => Promise.race([
  promise.then(() => "answered", () => "no answer"),
  new Promise((done) => setTimeout(() => done("no answer"), 5000)),
]);
const loaded = (element, events) => new Promise((done, failed) => {
  element.onload = events ? done : null; element.onerror = failed; document.body.append(element);
});
async function attack(url, query) {
  const to = `${url}/graphql`, get = `${to}?query=${encodeURIComponent(query)}`;
  const post = (body, type) =>
    fetch(to, { method: "POST", body, headers: { "Content-Type": type } });
  const image = new Image(); image.src = get;
  const frame = document.createElement("iframe"); frame.src = `${url}/runs`;
  const socket = new WebSocket(to.replace("http", "ws"), "graphql-ws");
  fetch(to, { method: "POST", mode: "no-cors", body: JSON.stringify({ query }) }).catch(() => 0);
  return {
    get: await tried(fetch(get)),
    image: await tried(loaded(image, true)),
    text: await tried(post(JSON.stringify({ query }), "text/plain")),
    form: await tried(post(new URLSearchParams({ query }), "application/x-www-form-urlencoded")),
    json: await tried(post(JSON.stringify({ query }), "application/json")),
    frame: await tried(loaded(frame, true).then(() => frame.contentDocument.title.length)),
    websocket: await tried(new Promise((done, failed) => {
      socket.onopen = done; socket.onerror = failed; })),
  };
}
</script><body></body>"""
