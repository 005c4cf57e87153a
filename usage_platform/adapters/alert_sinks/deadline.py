"""A deadline for a whole exchange with a server, however slowly its bytes come.

Belongs here: ending connections. Not here: what is said over them (`http_post`, `mail`, `mqtt`).

Timeouts of sockets are about the time between two bytes: a server that sends one each few seconds
would hold an alert, and all those after it, for hours.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from usage_platform.core.alerts.alert import DeliveryError


class Deadline:
    """The connections that end at a deadline. Made by `deadline`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []
        self.has_passed = False

    def watch(self, connection: socket.socket) -> None:
        """End a connection at the deadline; call it before TLS is agreed on."""
        # A socket of its own for the same connection: TLS takes the first one away.
        copy = connection.dup()
        with self._lock:
            self._watched.append(copy)
            if self.has_passed:
                _end(copy)

    def end(self) -> None:
        """End all connections."""
        with self._lock:
            self.has_passed = True
            for one in self._watched:
                _end(one)

    def release(self) -> None:
        """Release the connections."""
        with self._lock:
            for one in self._watched:
                one.close()
            self._watched.clear()


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def deadline(seconds: float) -> Iterator[Deadline]:
    """Limit the time of the block by ending its connections.

    Looking up the server's name is left to the limits of the system's resolver.

    Args:
        seconds: The most time that all of the block may take.

    Raises:
        DeliveryError: In place of any error of the block after the deadline.
    """
    limit = Deadline()
    timer = threading.Timer(seconds, limit.end)
    timer.daemon = True
    timer.start()
    try:
        yield limit
    except Exception:
        if limit.has_passed:
            raise DeliveryError(f"no complete answer within {seconds:.0f} s") from None
        raise
    finally:
        timer.cancel()
        limit.release()
