"""`usage-platform page`: serve the analyst's page without the rest of the platform."""

import socket
from collections.abc import Callable

from usage_platform.local.ports import LOOPBACK, free_port
from usage_platform.web.server import serve
from usage_platform.wiring.platform import Platform


def serve_page(deployment: Platform, say: Callable[[str], None]) -> None:
    """Serve on the loopback interface until SIGINT or SIGTERM.

    Args:
        deployment: The services; none of them has to be running.
        say: Prints a line, such as the address.
    """
    port = free_port(deployment.settings.page_port, "page", say)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK, port))
        try:
            serve(deployment, listening, lambda: say(f"page: http://{LOOPBACK}:{port}"))
        except KeyboardInterrupt:
            say("page: stopped")
