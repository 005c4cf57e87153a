"""`usage-platform ui`: serve Dagster's web server behind the guard of the analyst's page.

Belongs here: Dagster's own app, what its guard allows, and its read-only mode. Not here: the guard
(`web.security`), the code server and the daemon (`local.dagster_services`).

`dagster-webserver` itself executes mutations that are sent by GET, and looks at neither `Host` nor
`Origin`: any website that the operator visits could launch runs and delete the record of assets.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from usage_platform.console.signals import stop_on_signals
from usage_platform.local.errors import LocalError
from usage_platform.local.ports import LOOPBACK
from usage_platform.settings.settings import Settings
from usage_platform.web.http_server import http_server, serve_until_stopped
from usage_platform.web.security import Rules, SameOriginOnly

_GRAPHQL = "/graphql"
_POLL_MS = 2000
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
# Beside Dagster's own policy, which names the scripts; of two policies both hold.
_POLICY = "base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
# A backfill of many partitions names each of them.
RULES = Rules(
    setting="USAGE_UI_HOST",
    longest_body=4 * 2**20,
    headers=_HEADERS,
    added_headers={"Content-Security-Policy": _POLICY},
)


def guarded(app: ASGIApp, host: str) -> ASGIApp:
    """Dagster's app behind its guard.

    Args:
        app: What Dagster serves.
        host: An additional host name under which it is served; empty for none.
    """
    return SameOriginOnly(_GraphqlByPostOnly(app), host, RULES)


def serve_ui(settings: Settings, workspace: Path, say: Callable[[str], None]) -> None:
    """Serve Dagster's pages on the loopback interface until SIGINT or SIGTERM.

    Args:
        settings: The port, an additional host name, and whether all mutations are refused.
        workspace: Dagster's workspace file; the instance is that of DAGSTER_HOME.
        say: Prints a line, such as the address.

    Raises:
        LocalError: When there is no workspace, or the port is taken.
    """
    stop_on_signals()
    port, read_only = settings.ui_port, settings.ui_read_only
    address = f"Dagster: http://{LOOPBACK}:{port}{' (read-only)' if read_only else ''}"
    with _app(workspace, read_only) as app:
        server = http_server(
            guarded(app, settings.ui_host), {**RULES.headers, **RULES.added_headers}
        )
        try:
            serve_until_stopped(server, port, lambda: say(address))
        except KeyboardInterrupt:
            say("Dagster: stopped")
        except OSError as error:
            raise LocalError(f"port {port}: {error.strerror}; set USAGE_UI_PORT") from None


class _GraphqlByPostOnly:
    """Refuses GraphQL by GET, where a link or an image is enough to send a mutation.

    The editor that Dagster serves to a browser at the same address sends its own queries by POST.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it to the app."""
        if (
            scope["type"] == "http"
            and scope["path"].rstrip("/") == _GRAPHQL
            and scope["method"] != "POST"
            and "text/html" not in Headers(scope=scope).get("accept", "")
        ):
            why = {"error": "GraphQL: expected a POST of type application/json"}
            await JSONResponse(why, 405, {"Allow": "POST"})(scope, receive, send)
        else:
            await self._app(scope, receive, send)


@contextmanager
def _app(workspace: Path, read_only: bool) -> Iterator[ASGIApp]:
    """What `dagster-webserver -w WORKSPACE` serves, without its server.

    Dagster has no public function for it; its version is pinned, and a test serves the pages.
    """
    from dagster import DagsterInstance
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import WorkspaceFileTarget
    from dagster_webserver.app import create_app_from_workspace_process_context
    from dagster_webserver.cli import (
        DEFAULT_DB_STATEMENT_TIMEOUT,
        DEFAULT_POOL_MAX_OVERFLOW,
        DEFAULT_POOL_RECYCLE,
    )
    from dagster_webserver.version import __version__

    if not workspace.is_file():
        raise LocalError(f"{workspace}: no such file; expected Dagster's workspace.yaml")
    logging.basicConfig(format="%(asctime)s - %(name)s - %(levelname)s - %(message)s")
    with DagsterInstance.get() as instance:
        instance.optimize_for_webserver(
            DEFAULT_DB_STATEMENT_TIMEOUT, DEFAULT_POOL_RECYCLE, DEFAULT_POOL_MAX_OVERFLOW
        )
        target = WorkspaceFileTarget(paths=[str(workspace)])
        with WorkspaceProcessContext(
            instance, target, version=__version__, read_only=read_only
        ) as context:
            yield create_app_from_workspace_process_context(context, "", _POLL_MS)
