"""`usage-platform page`: serve the analyst's page without the rest of the platform."""

from collections.abc import Callable

from usage_platform.console.signals import stop_on_signals
from usage_platform.local.ports import LOOPBACK, free_port
from usage_platform.web.server import serve
from usage_platform.wiring.platform import Platform


def serve_page(deployment: Platform, say: Callable[[str], None]) -> None:
    """Serve on the loopback interface until SIGINT or SIGTERM.

    Args:
        deployment: The services; none of them has to be running.
        say: Prints a line, such as the address.
    """
    stop_on_signals()
    port = free_port(deployment.settings.page_port, "page", say)
    try:
        serve(deployment, port, lambda: say(f"page: http://{LOOPBACK}:{port}"))
    except KeyboardInterrupt:
        say("page: stopped")
