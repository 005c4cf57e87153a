"""Protection against cross-site requests and injected markup.

Belongs here: which requests are allowed, and the security headers of every response. Not here: the
routes.

The page has no login: it listens on the loopback interface only. A website open in the user's
browser could still send requests to it. DNS rebinding is refused by the check of `Host`, cross-site
forms and scripts by the checks of `Origin` and `Sec-Fetch-Site`.
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
        # User text is never parsed as markup.
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
    """Refuses requests that do not come from the page; adds `HEADERS` to every response.

    Args:
        app: The protected app.
        host: An additional host name under which the page is served; empty for none.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._names = {*_OWN_NAMES, host} - {""}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it to the app."""
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
        """Status and one-line reason if the request is refused; else None."""
        host = headers.get("host", "")
        if _name_of(f"//{host}") not in self._names:
            names = ", ".join(sorted(self._names))
            return 421, f"Host {host[:100]!r}: expected one of {names}; see USAGE_PAGE_HOST"
        if method in _READS:
            return None
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site not in {None, "same-origin"} or (origin and urlsplit(origin).netloc != host):
            return 403, "expected a same-origin request"
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return 415, "expected a body of type application/json"
        length = headers.get("content-length", "")
        if not length.isdigit() or int(length) > LONGEST_BODY:
            return 413, f"expected a Content-Length of at most {LONGEST_BODY} bytes"
        return None


def _name_of(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
