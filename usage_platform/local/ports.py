"""Which TCP ports of this machine's loopback address are free.

Belongs here: trying a port and choosing one. Not here: which service gets which (the caller's).
"""

import socket
from collections.abc import Callable, Collection

from usage_platform.local.errors import LocalError

LOOPBACK = "127.0.0.1"
_PORTS_TRIED = 100
_HIGHEST_PORT = 65535


def port_answers(port: int) -> bool:
    """Whether something accepts connections on 127.0.0.1:`port`."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.settimeout(1)
        return sock.connect_ex((LOOPBACK, port)) == 0


def port_is_free(port: int) -> bool:
    """Whether a service could listen on 127.0.0.1:`port` now."""
    # macOS lets one bind beside a listener on all addresses, so ask whether one answers as well.
    if port_answers(port):
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        # As the services do: connections of a former run that linger do not count.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((LOOPBACK, port))
            sock.listen()
        except OSError:
            return False
    return True


def free_port(
    preferred: int, name: str, say: Callable[[str], None], reserved: Collection[int] = ()
) -> int:
    """The preferred port, or the next free one after it.

    Args:
        preferred: The port to try first.
        name: Whose port it is, for the message.
        say: Told when another port than the preferred one is taken.
        reserved: Ports already promised to services that do not listen yet.

    Returns:
        A port nobody listens on.

    Raises:
        LocalError: When none of the next hundred ports is free.
    """
    for port in range(preferred, min(preferred + _PORTS_TRIED, _HIGHEST_PORT + 1)):
        if port not in reserved and port_is_free(port):
            if port != preferred:
                say(f"{name}: port {preferred} is taken, using {port}")
            return port
    raise LocalError(
        f"{name}: no free port from {preferred} on: stop what listens there or set another port"
    )
