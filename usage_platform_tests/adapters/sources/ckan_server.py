"""A local server that behaves like a CKAN portal's action API, and fails when told to.

Belongs here: the pretended portal. Not here: the tests that ask it.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

SHOW = "package_show"


class PretendedPortal:
    """What the portal holds, what it was asked, and how it is to fail.

    `faults` holds what is to happen to the next answers, one each: None (nothing), a status,
    "hang up", "cut" (fewer bytes than announced) or "cut json" (fewer, and none announced).
    """

    def __init__(self, dataset):
        self.dataset = dataset
        self.url = ""
        self.tables = {}
        self.files = {}
        self.resources = []
        self.asked = []
        self.faults = []
        self.most_rows = 1000

    def add_table(self, key, rows, changed="2024-04-01T00:00:00"):
        self.tables[key] = rows
        self.resources.append(
            {"id": key, "name": f"usage {key}", "datastore_active": True, "last_modified": changed}
        )

    def answer(self, path):
        """Status, content type and body for a path, by the rules of CKAN's action API."""
        url = urlsplit(path)
        query = {key: value[0] for key, value in parse_qs(url.query).items()}
        action = url.path.removeprefix("/api/3/action/")
        if action == SHOW:
            self.asked.append(SHOW)
            if query["id"] != self.dataset:
                return self.missing()
            return self.success({"metadata_modified": "2024-01-01", "resources": self.resources})
        if action == "datastore_search":
            return self.search(query)
        self.asked.append(url.path)
        if url.path in self.files:
            return 200, "text/csv", self.files[url.path]
        return 404, "text/html", b"<html>no such page</html>"

    def search(self, query):
        key, offset = query["resource_id"], int(query["offset"])
        assert query["sort"] == "_id"
        self.asked.append((key, offset))
        if key not in self.tables:
            return self.missing()
        rows = self.tables[key]
        limit = min(int(query["limit"]), self.most_rows)
        fields = [{"id": name, "type": "text"} for name in rows[0]]
        page = {"fields": fields, "records": rows[offset : offset + limit], "total": len(rows)}
        return self.success(page)

    @staticmethod
    def success(result):
        return (
            200,
            "application/json;charset=utf-8",
            json.dumps({"success": True, "result": result}).encode(),
        )

    @staticmethod
    def missing():
        error = {"__type": "Not Found Error", "message": "Not found"}
        return (
            404,
            "application/json;charset=utf-8",
            json.dumps({"success": False, "error": error}).encode(),
        )


@contextmanager
def serving(portal: PretendedPortal) -> Iterator[None]:
    """Answers on a free port of 127.0.0.1, told by `portal.url`, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, kind, body = portal.answer(self.path)
            fault = portal.faults.pop(0) if portal.faults else None
            if isinstance(fault, int):
                status, kind, body = fault, "text/html", b"<html>out of order</html>"
            if fault == "hang up":
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", kind)
            if fault != "cut json":
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if fault in ("cut", "cut json") else body)

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    portal.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
