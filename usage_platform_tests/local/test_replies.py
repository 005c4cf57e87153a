"""A server that works says something; one that hangs, or is none, says nothing."""

import socket

import pytest

from usage_platform.local import replies
from usage_platform.local.replies import GRPC, HTTP, port_replies


@pytest.mark.parametrize("greeting", [GRPC, HTTP])
def test_an_open_port_behind_which_nobody_reads_is_no_reply(monkeypatch, greeting):
    monkeypatch.setattr(replies, "_WITHIN_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not port_replies(server.getsockname()[1], greeting)


def test_nobody_listening_is_no_reply(unused_port):
    assert not port_replies(unused_port(), HTTP)
