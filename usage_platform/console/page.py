"""`usage-platform page`: the analyst's page by itself, on the lake and the topics there are."""

import socket
from collections.abc import Callable

from usage_platform.local.ports import LOOPBACK, free_port
from usage_platform.web.server import serve
from usage_platform.wiring.platform import Platform


def serve_page(deployment: Platform, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM, on this machine only.

    Args:
        deployment: The services; the page needs none of them to be there.
        say: Told where the page is.
    """
    port = free_port(deployment.settings.page_port, "page", say)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK, port))
        try:
            serve(deployment, listening, lambda: say(f"page: http://{LOOPBACK}:{port}"))
        except KeyboardInterrupt:
            say("page: stopped")
