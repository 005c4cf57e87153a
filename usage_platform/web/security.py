"""What keeps other sites, and other people's text, away from the page.

Belongs here: which requests are let in, and the headers that every answer carries. Not here: what
is asked for.

The page has no login: it listens on this machine only. A site that a person visits could still make
that person's browser talk to it. A name that such a site points at 127.0.0.1 is refused by `Host`,
a form or script of its own by `Origin` and `Sec-Fetch-Site`.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST_BODY = 16 * 1024
_OWN_NAMES = ("127.0.0.1", "localhost", "::1")
_READS = ("GET", "HEAD")
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # Text never becomes markup, whoever wrote it.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class SameOriginOnly:
    """Refuses requests that did not come from the page, and puts `HEADERS` on every answer.

    Args:
        app: What is protected.
        host: A further name under which the page is served; empty for none.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._names = {*_OWN_NAMES, host} - {""}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have the app answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        wrong = self._fault(scope["method"], Headers(scope=scope))
        if wrong is None:
            await self._app(scope, receive, with_headers)
        else:
            status, why = wrong
            await JSONResponse({"error": why}, status)(scope, receive, with_headers)

    def _fault(self, method: str, headers: Headers) -> tuple[int, str] | None:
        """What is wrong with a request: a status and a line."""
        host = headers.get("host", "")
        if _name_of(f"//{host}") not in self._names:
            names = ", ".join(sorted(self._names))
            return 421, f"Host {host[:100]!r}: expected one of {names}; see USAGE_PAGE_HOST"
        if method in _READS:
            return None
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site not in {None, "same-origin"} or (origin and urlsplit(origin).netloc != host):
            return 403, "expected a request of the page itself, not of another site"
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return 415, "expected a body of application/json"
        length = headers.get("content-length", "")
        if not length.isdigit() or int(length) > LONGEST_BODY:
            return 413, f"expected a body of a known length of at most {LONGEST_BODY} bytes"
        return None


def _name_of(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
