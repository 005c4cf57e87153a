"""The page's web server.

Belongs here: the page's app behind its guard. Not here: the app (`app`), listening (`http_server`).
"""

from collections.abc import Callable

import uvicorn

from usage_platform.web.app import create_app
from usage_platform.web.http_server import http_server, serve_until_stopped
from usage_platform.web.security import HEADERS
from usage_platform.web.source import PageSource
from usage_platform.wiring.platform import Platform


def serve(deployment: Platform, port: int, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        deployment: The services.
        port: Where to listen, on the loopback interface.
        ready: Called before the first request.
    """
    serve_until_stopped(server_of(deployment), port, ready)


def server_of(deployment: Platform) -> uvicorn.Server:
    """The page's server, not yet bound to a socket.

    Args:
        deployment: The services.
    """
    app = create_app(
        PageSource.of(deployment), lambda: deployment.kafka, deployment.settings.page_host
    )
    return http_server(app, HEADERS)
