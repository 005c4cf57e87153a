"""Whether a server on the loopback address says anything: the cheapest sign that it works.

The system takes connections for a process that hangs, so that an open port tells little of one that
has run for long; only the process itself can send something back.
"""

import socket

from usage_platform.local.ports import LOOPBACK

HTTP = b"HEAD / HTTP/1.0\r\n\r\n"
# What every connection of HTTP/2 begins with, and empty settings; the server's own are the reply.
GRPC = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_WITHIN_S = 2.0


def port_replies(port: int, greeting: bytes) -> bool:
    """Whether what listens on 127.0.0.1:`port` sends a byte within two seconds.

    Args:
        port: Where to ask.
        greeting: What to send first: `HTTP` or `GRPC`.
    """
    try:
        with socket.create_connection((LOOPBACK, port), _WITHIN_S) as connection:
            connection.sendall(greeting)
            return bool(connection.recv(1))
    except OSError:
        return False
