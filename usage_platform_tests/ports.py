"""Ports that the system hands out, so that no test or tool meets a running platform."""

import socket


def unused_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
