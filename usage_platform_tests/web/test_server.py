"""The server ends when it is asked to, whoever still listens."""

import socket
import threading

import pytest
import requests

from usage_platform.web.server import server_of
from usage_platform.wiring.platform import Platform
from usage_platform_tests.topics import until
from usage_platform_tests.web.conftest import settings_of


@pytest.mark.timeout(60)
def test_a_server_with_an_open_stream_ends_when_it_is_asked_to(made_once):
    server = server_of(Platform(settings_of(made_once)))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until(lambda: server.started)
        stream = requests.get(f"http://127.0.0.1:{port}/api/stream", stream=True, timeout=30)
        lines = stream.iter_lines(decode_unicode=True)
        assert next(lines) == "retry: 2000"
        assert stream.headers["content-type"].startswith("text/event-stream")
        while not next(lines).startswith("event: standing"):
            pass
        assert "no Kafka broker is configured" in next(lines)
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()
