"""Whether a server on this machine says anything: the cheapest sign that it works.

The system takes connections for a process that hangs, so that an open port tells little of one that
has run for long; only the process itself can send something back.
"""

import socket
from pathlib import Path

from usage_platform.local.ports import LOOPBACK

HTTP = b"HEAD / HTTP/1.0\r\n\r\n"
# What every connection of HTTP/2 begins with, and empty settings; the server's own are the reply.
GRPC = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_WITHIN_S = 2.0


def server_replies(where: int | Path, greeting: bytes) -> bool:
    """Whether what listens sends a byte within two seconds.

    Args:
        where: A port on 127.0.0.1, or a Unix socket.
        greeting: What to send first: `HTTP` or `GRPC`.
    """
    is_port = isinstance(where, int)
    try:
        with socket.socket(socket.AF_INET if is_port else socket.AF_UNIX) as connection:
            connection.settimeout(_WITHIN_S)
            connection.connect((LOOPBACK, where) if is_port else str(where))
            connection.sendall(greeting)
            return bool(connection.recv(1))
    except OSError:
        return False
