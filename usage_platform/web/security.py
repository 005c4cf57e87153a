"""Protection against cross-site requests and injected markup.

Belongs here: which requests are allowed, and the security headers of every response. Not here: the
routes, and limits of connections (`connections`).

Neither the page nor Dagster's has a login: they listen on the loopback interface only. A website
open in the user's browser could still send requests to them. DNS rebinding is refused by the check
of `Host`, cross-site forms, scripts and WebSockets by the checks of `Origin` and of Fetch Metadata
(`Sec-Fetch-Site`, `Sec-Fetch-Mode`; https://www.w3.org/TR/fetch-metadata/).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST_BODY = 16 * 1024
BODY_WITHIN_S = 10.0
_MOST_DIGITS = 20
_OWN_NAMES = ("127.0.0.1", "localhost", "::1")
_READS = ("GET", "HEAD")
_FOREIGN = ("cross-site", "same-site")
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


@dataclass(frozen=True)
class Rules:
    """What an app allows beyond the rules that hold for all.

    Attributes:
        setting: The setting that names an additional host, for the error message.
        longest_body: Bytes that a request's body may have.
        headers: Headers of every response, in place of the app's own.
        added_headers: Headers that are sent beside the app's own of the same name.
    """

    setting: str = "USAGE_PAGE_HOST"
    longest_body: int = LONGEST_BODY
    headers: Mapping[str, str] = field(default_factory=lambda: HEADERS)
    added_headers: Mapping[str, str] = field(default_factory=dict)


_PAGE = Rules()


class SameOriginOnly:
    """Refuses requests that do not come from the app's own pages; adds headers to every response.

    Args:
        app: The protected app, which answers its own errors.
        host: An additional host name under which the app is served; empty for none.
        rules: What differs from the page's rules.
    """

    def __init__(self, app: ASGIApp, host: str, rules: Rules = _PAGE) -> None:
        self._app = app
        self._names = {*_OWN_NAMES, host} - {""}
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request or a WebSocket, or pass it to the app."""
        if scope["type"] == "http":
            await self._answer(scope, receive, self._with_headers(send))
        elif scope["type"] == "websocket":
            headers = Headers(scope=scope)
            if self._wrong_host(headers) or _is_foreign(headers):
                # Before it is accepted: the server answers the handshake with 403.
                await send({"type": "websocket.close", "code": 1008})
            else:
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        wrong = self._fault(scope["method"], Headers(scope=scope))
        if wrong is None and scope["method"] not in _READS:
            try:
                async with asyncio.timeout(BODY_WITHIN_S):
                    receive = await _received(receive)
            except TimeoutError:
                wrong = 408, f"expected the body within {BODY_WITHIN_S:.0f} s"
        if wrong is None:
            await self._app(scope, receive, send)
        else:
            status, why = wrong
            # What is left of a refused body is not waited for.
            refused = JSONResponse({"error": why}, status, {"Connection": "close"})
            await refused(scope, receive, send)

    def _with_headers(self, send: Send) -> Send:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._rules.headers.items():
                    headers[name] = value
                for name, value in self._rules.added_headers.items():
                    headers.append(name, value)
            await send(message)

        return with_headers

    def _fault(self, method: str, headers: Headers) -> tuple[int, str] | None:
        """Status and one-line reason if the request is refused; else None."""
        wrong = self._wrong_host(headers)
        if wrong is not None:
            return 421, wrong
        if method in _READS:
            # A link from elsewhere may be followed; a script's or an image's request is refused.
            is_link = headers.get("sec-fetch-mode") == "navigate"
            is_foreign = headers.get("sec-fetch-site") in _FOREIGN and not is_link
            return (403, "expected a same-origin request") if is_foreign else None
        if _is_foreign(headers):
            return 403, "expected a same-origin request"
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return 415, "expected a body of type application/json"
        length, longest = headers.get("content-length", ""), self._rules.longest_body
        is_number = length.isascii() and length.isdigit() and len(length) <= _MOST_DIGITS
        # A body in chunks has no bound, whatever length is named beside.
        if "transfer-encoding" in headers or not is_number or int(length) > longest:
            return 413, f"expected a Content-Length of at most {longest} bytes"
        return None

    def _wrong_host(self, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if _name_of(f"//{host}") in self._names:
            return None
        names = ", ".join(sorted(self._names))
        return f"Host {host[:100]!r}: expected one of {names}; see {self._rules.setting}"


def _is_foreign(headers: Headers) -> bool:
    """Whether a browser says that a page of another origin sends the request."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    return site not in {None, "same-origin"} or bool(origin and not _is_at(origin, headers["host"]))


def _is_at(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False


def _name_of(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


async def _received(receive: Receive) -> Receive:
    """Receive a body to its end; what the app then receives is the same messages."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    waiting = iter(messages)

    async def again() -> Message:
        message = next(waiting, None)
        return await receive() if message is None else message

    return again
