"""A server that works says something; one that hangs, or is none, says nothing."""

import socket
from pathlib import Path
from threading import Thread

import pytest

from usage_platform.local import replies
from usage_platform.local.replies import GRPC, HTTP, server_replies


@pytest.mark.parametrize("greeting", [GRPC, HTTP])
def test_an_open_port_behind_which_nobody_reads_is_no_reply(monkeypatch, greeting):
    monkeypatch.setattr(replies, "_WITHIN_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not server_replies(server.getsockname()[1], greeting)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX])
def test_whatever_is_said_is_a_reply(tmp_path, family):
    with socket.socket(family) as server:
        server.bind(("127.0.0.1", 0) if family == socket.AF_INET else str(tmp_path / "socket"))
        server.listen()
        name = server.getsockname()
        where = name[1] if family == socket.AF_INET else Path(name)

        def reply():
            with server.accept()[0] as connection:
                # Closed with the greeting unread, the system would reset the connection.
                connection.recv(len(HTTP))
                connection.sendall(b"!")

        replying = Thread(target=reply)
        replying.start()
        assert server_replies(where, HTTP)
        replying.join()


def test_nobody_listening_is_no_reply(unused_port):
    assert not server_replies(unused_port(), HTTP)
    assert not server_replies(Path("/nowhere"), HTTP)
