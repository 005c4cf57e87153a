"""The page's web server.

Belongs here: running and stopping it. Not here: the app (`app`).
"""

import socket
from collections.abc import Callable

import uvicorn

from usage_platform.web.app import create_app
from usage_platform.web.source import PageSource
from usage_platform.wiring.platform import Platform

# An open event stream never ends by itself.
_LAST_WORDS_SECONDS = 2


def serve(deployment: Platform, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        deployment: The services.
        listening: A bound socket.
        ready: Called before the first request.
    """
    server = server_of(deployment)
    ready()
    server.run(sockets=[listening])


def server_of(deployment: Platform) -> uvicorn.Server:
    """The page's server, not yet bound to a socket.

    Args:
        deployment: The services.
    """
    app = create_app(
        PageSource.of(deployment), lambda: deployment.kafka, deployment.settings.page_host
    )
    config = uvicorn.Config(
        app,
        log_level="warning",
        lifespan="on",
        timeout_graceful_shutdown=_LAST_WORDS_SECONDS,
        server_header=False,
    )
    return uvicorn.Server(config)
