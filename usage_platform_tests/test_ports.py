import socket

import pytest

from usage_platform_tests import ports
from usage_platform_tests.ports import first_ephemeral_port, unused_port


def test_ports_are_distinct_and_none_that_an_outgoing_connection_gets():
    found = [unused_port() for _ in range(100)]
    assert len(set(found)) == len(found)
    assert max(found) < first_ephemeral_port()
    server = socket.create_server(("127.0.0.1", found[0]))
    with server, socket.create_connection(server.getsockname()) as client:
        assert client.getsockname()[1] >= first_ephemeral_port()


def test_a_port_on_which_somebody_listens_is_not_given(monkeypatch):
    taken, free = unused_port(), unused_port()
    drawn = iter([taken, free])
    monkeypatch.setattr(ports, "_given", set())
    monkeypatch.setattr(ports._random, "randrange", lambda *_: next(drawn))
    with socket.create_server(("127.0.0.1", taken)):
        assert unused_port() == free


@pytest.mark.parametrize(("text", "first"), [("32768\t60999\n", 32768), ("15000 61000", 15000)])
def test_the_range_is_the_systems(text, first, tmp_path, monkeypatch):
    monkeypatch.setattr(ports, "_RANGE", tmp_path / "range")
    assert first_ephemeral_port() == 32_768
    (tmp_path / "range").write_text(text)
    assert first_ephemeral_port() == first
