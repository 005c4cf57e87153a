"""Connections to the web servers: how many there may be, and how long one may take to ask.

Belongs here: limits that hold before a request is complete. Not here: which requests are allowed
(`security`).

Uvicorn waits without end for the head of a request, so that a program that opens connections and
sends nothing, or a byte a minute, would keep everyone else out when the process runs out of files.
"""

import asyncio
import resource
from collections.abc import Mapping
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_WITHIN_S = 10.0
MOST_CONNECTIONS = 512
_BAD_REQUEST = b'{"error":"expected a request of HTTP/1.1"}'


def most_connections() -> int:
    """How many connections are kept: at most half of the files that the process may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if soft < 0 else min(MOST_CONNECTIONS, soft // 2)


class BoundedConnection(H11Protocol):
    """A connection that is closed unless a request's head arrives within `HEAD_WITHIN_S`.

    Beyond `most_connections` a new connection takes the place of the one that has been without a
    request for longest; where all have one, the new one is closed.
    """

    error_headers: Mapping[str, str] = {}
    """Headers of the response to what is no request; a subclass sets them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._since = 0.0

    @property
    def has_request(self) -> bool:
        """Whether a request was received that is not answered yet."""
        return self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - as uvicorn's own
        """Make room for the connection, and begin to wait for its first request."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._await_head()
        if len(self.connections) > most_connections():
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """Take bytes; the time for a head runs from its first byte."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._await_head()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request of HTTP/1.1, and close."""
        headers = [(name.encode(), value.encode()) for name, value in self.error_headers.items()]
        headers += [(b"content-type", b"application/json"), (b"connection", b"close")]
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            response = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
            for event in (response, h11.Data(data=_BAD_REQUEST), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _make_room(self) -> None:
        idle = [
            one
            for one in self.connections
            if isinstance(one, BoundedConnection) and one is not self and not one.has_request
        ]
        # Those that never asked anything go first.
        oldest = min(idle, key=lambda one: (one.cycle is not None, one._since), default=self)
        oldest.transport.abort()

    def _await_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_WITHIN_S, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
