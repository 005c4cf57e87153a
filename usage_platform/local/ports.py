"""Where services listen: free TCP ports of the loopback address, and private Unix sockets.

Belongs here: trying a port, choosing one, and keeping other stacks off it; a socket's place. Not
here: which service gets which (the caller's).
"""

import fcntl
import hashlib
import os
import socket
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import IO

from usage_platform.local.errors import LocalError
from usage_platform.local.private_folder import private_folder

LOOPBACK = "127.0.0.1"
_PORTS_TRIED = 100
_HIGHEST_PORT = 65535
# A link is not followed, and what is there is not emptied.
_CREATED = os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC


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
        say: Called when another port than the preferred one is taken.
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


def socket_path(data_dir: Path, name: str) -> Path:
    """Where a service of a data folder listens for this user's processes only.

    Not in the data folder: a socket's path has at most 103 bytes.

    Args:
        data_dir: The data folder, which one stack uses at a time.
        name: Whose socket it is.

    Raises:
        LocalError: When the folder of the sockets belongs to somebody else.
    """
    of_folder = hashlib.sha256(os.fsencode(data_dir.absolute())).hexdigest()[:12]
    return _own_folder() / f"{name}-{of_folder}"


class PortClaims:
    """Ports promised to this stack's services, from before they listen until it has stopped.

    A service listens some time after its port was chosen: without a claim, two stacks that start at
    the same time, or one that starts while another's service is started again, choose the same
    port. The system frees the claims when their holder ends, however that happens.
    """

    def __init__(self) -> None:
        self._claims: dict[int, IO[str]] = {}

    def take(self, preferred: int, name: str, say: Callable[[str], None]) -> int:
        """Claim the preferred port, or the next one that is free and claimed by nobody.

        Args:
            preferred: The port to try first.
            name: Whose port it is, for the message.
            say: Called when another port than the preferred one is taken.

        Raises:
            LocalError: When none of the next hundred ports is to be had.
        """
        passed_over = set(self._claims)
        while True:
            port = free_port(preferred, name, say, passed_over)
            claim = _claim(port)
            if claim is not None:
                self._claims[port] = claim
                return port
            passed_over.add(port)

    def release(self) -> None:
        """Let other stacks have the ports."""
        for claim in self._claims.values():
            claim.close()
        self._claims.clear()


def _claim(port: int) -> IO[str] | None:
    """The lock that says that a port is promised; None where another holds it.

    Raises:
        LocalError: When the folder of the claims belongs to somebody else.
    """
    folder = _own_folder()
    try:
        claim = os.fdopen(os.open(folder / str(port), _CREATED, 0o600), "w", encoding="utf-8")
    except OSError as error:
        raise LocalError(f"{folder / str(port)}: {error.strerror}; remove it") from None
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        claim.close()
        return None
    return claim


def _own_folder() -> Path:
    return private_folder(Path(tempfile.gettempdir()) / f"usage-platform-ports-{os.getuid()}")
