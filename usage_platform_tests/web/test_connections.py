"""Connections that ask nothing, or ask for ever, keep nobody else out."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from usage_platform.web import connections, security
from usage_platform.web.http_server import http_server, listening_on
from usage_platform.web.security import HEADERS, SameOriginOnly
from usage_platform_tests.topics import until

MOST = 20
WITHIN_S = 1.0


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/long":
        await asyncio.sleep(3 * WITHIN_S)
    body = (await receive()).get("body", b"")
    await PlainTextResponse(body or b"here")(scope, receive, send)


@pytest.fixture
def port(unused_port, monkeypatch) -> Iterator[int]:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", MOST)
    monkeypatch.setattr(connections, "HEAD_WITHIN_S", WITHIN_S)
    monkeypatch.setattr(security, "BODY_WITHIN_S", WITHIN_S)
    server = http_server(SameOriginOnly(_app, ""), HEADERS)
    with listening_on(unused_port()) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        until(lambda: server.started)
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join(30)


def _opened(port: int, sent: bytes = b"") -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), 30)
    sock.sendall(sent)
    return sock


def _rest(sock: socket.socket) -> bytes:
    """All that comes until the server closes."""
    parts = []
    try:
        while part := sock.recv(65536):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


def _answers(port: int, path: str = "") -> int:
    return requests.get(f"http://127.0.0.1:{port}/{path}", timeout=30).status_code


def _drip(sock: socket.socket, seconds: float) -> None:
    """Send a byte of a head ten times a second."""
    ended = time.monotonic() + seconds
    while time.monotonic() < ended:
        sock.sendall(b"x")
        time.sleep(0.1)


def test_many_connections_that_ask_nothing_keep_nobody_out(port):
    with ExitStack() as stack:
        for _ in range(5 * MOST):
            stack.enter_context(_opened(port))
        assert _answers(port) == 200


def test_a_connection_with_a_request_at_work_is_not_the_one_that_goes(port):
    with ExitStack() as stack:
        at_work = stack.enter_context(
            _opened(port, b"GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n")
        )
        for _ in range(5 * MOST):
            stack.enter_context(_opened(port))
        assert at_work.recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("sent", [b"", b"G", b"GET / HTTP/1.1\r\nHost: localhost\r\n"])
def test_a_connection_without_a_whole_head_is_closed(port, sent):
    with _opened(port, sent) as sock:
        assert _rest(sock) == b""


def test_a_head_that_drips_is_closed_after_a_request_too(port):
    with _opened(port, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") as sock:
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")
        with pytest.raises(ConnectionError):
            _drip(sock, 30.0)


def test_a_body_that_drips_is_refused_and_closed(port):
    head = b"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
    with _opened(port, b"POST / HTTP/1.1\r\n" + head + b"{") as sock:
        answer = _rest(sock)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"expected the body within" in answer


def test_a_whole_body_reaches_the_app(port):
    sent = {"a": "b" * 9000}
    answer = requests.post(f"http://127.0.0.1:{port}/", json=sent, timeout=30)
    assert answer.json() == sent


def test_what_takes_longer_than_a_head_may_is_answered(port):
    assert _answers(port, "long") == 200


@pytest.mark.parametrize(
    "sent",
    [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\na: " + b"x" * 99_999],
)
def test_what_is_no_request_is_refused_with_the_headers(port, sent):
    with _opened(port, sent) as sock:
        answer = _rest(sock).decode()
    assert answer.startswith("HTTP/1.1 400")
    assert all(f"{name}: {value}" in answer for name, value in HEADERS.items())


def test_at_most_half_of_the_open_files_are_connections(monkeypatch):
    monkeypatch.setattr("resource.getrlimit", lambda which: (256, 1024))
    assert connections.most_connections() == 128
