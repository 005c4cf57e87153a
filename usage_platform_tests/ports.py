"""Ports for tests and tools, on which no running platform and no other test is met.

They lie below those that the system gives to outgoing connections: such a connection could take the
port before the service for which it was chosen listens on it.
"""

import random
import socket
from pathlib import Path

_LOWEST = 10_000
_USUAL_EPHEMERAL = 32_768
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
# Not seeded: tests of several processes choose at the same time.
_random = random.SystemRandom()
_given: set[int] = set()


def unused_port() -> int:
    """A port of 127.0.0.1 on which nobody listens; another one at each call."""
    while True:
        port = _random.randrange(_LOWEST, first_ephemeral_port())
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def first_ephemeral_port() -> int:
    """The first port that the system gives to outgoing connections."""
    if not _RANGE.exists():  # Elsewhere than on Linux they begin higher.
        return _USUAL_EPHEMERAL
    return int(_RANGE.read_text("ascii").split()[0])


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
