"""The HTTP server behind the analyst's page and Dagster's: uvicorn with limits, on loopback.

Belongs here: listening and serving until told to stop. Not here: the apps (`app`, and Dagster's in
`console.dagster_ui`).
"""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from usage_platform.local.ports import LOOPBACK
from usage_platform.web.connections import BoundedConnection

# An open event stream never ends by itself.
_LAST_WORDS_SECONDS = 2


@contextmanager
def listening_on(port: int) -> Iterator[socket.socket]:
    """A socket bound to a port of the loopback interface, closed at the end.

    Args:
        port: The port.

    Raises:
        OSError: When another process listens there.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK, port))
        yield listening


def http_server(app: ASGIApp, error_headers: Mapping[str, str]) -> uvicorn.Server:
    """A server of an app, not yet bound to a socket.

    Args:
        app: The app, behind its guard.
        error_headers: Headers of the response to what is no HTTP request.
    """
    connection = type("Connection", (BoundedConnection,), {"error_headers": error_headers})
    config = uvicorn.Config(
        app,
        http=connection,
        log_level="warning",
        timeout_graceful_shutdown=_LAST_WORDS_SECONDS,
        server_header=False,
    )
    return uvicorn.Server(config)


def serve_until_stopped(server: uvicorn.Server, port: int, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        server: From `http_server`.
        port: Where to listen.
        ready: Called before the first request.

    Raises:
        OSError: When another process listens there.
    """
    with listening_on(port) as listening:
        ready()
        server.run(sockets=[listening])
