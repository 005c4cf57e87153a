"""What a program may try on the pages by connections and requests that no browser makes.

Belongs here: bytes on a socket. Not here: requests as a browser sends them (`web_attacks`).
"""

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import requests

from usage_platform.web.connections import HEAD_WITHIN_S, MOST_CONNECTIONS
from usage_platform.web.security import BODY_WITHIN_S
from usage_platform_tests.tools.abuse.attack import Attack, Attempt, By, Tried, worked
from usage_platform_tests.tools.abuse.web_attacks import WITHIN_S, Site

SLOW_HEADS = Attack("slow-loris", By.PROGRAM)
FLOOD = Attack("a flood of connections", By.PROGRAM)
ENDLESS_BODY = Attack("an endless body", By.PROGRAM)
HUGE = Attack("huge headers and bodies", By.PROGRAM)
NO_HTTP = Attack("what is no HTTP", By.PROGRAM)
TRAVERSAL = Attack("path traversal", By.PROGRAM)
TRACES = Attack("a stack trace", By.PROGRAM)
TRACES_OF_DAGSTER = Attack(
    "a stack trace of GraphQL",
    By.PROGRAM,
    "Dagster's GraphQL errors contain stack traces, which its own pages show",
)
AT_WORK = Attack(
    "requests at work",
    By.PROGRAM,
    f"{MOST_CONNECTIONS} requests that are at work at the same time occupy the page",
)
_SPARE_S = 10.0
_DRIPS = 50
_MIB = 2**20
# As it is printed, and as JSON quotes it.
_TRACE = ("Traceback (most recent call last)", 'File "', 'File \\"')
_ANSWERS_WITHIN_S = 10.0


def attempts(site: Site) -> list[Attempt]:
    """The attacks that are tried on both sites."""
    tries = {
        SLOW_HEADS: _slow_heads,
        FLOOD: _flood,
        ENDLESS_BODY: _endless_body,
        HUGE: _huge,
        NO_HTTP: _no_http,
        TRAVERSAL: _traversal,
    }
    return [Attempt(attack, site.name, partial(run, site)) for attack, run in tries.items()]


def attempts_on_page(site: Site, stream: str) -> list[Attempt]:
    """The attacks on the analyst's page alone.

    Args:
        site: The page.
        stream: Path of a response that never ends.
    """
    return [
        Attempt(TRACES, site.name, partial(_traces, site)),
        Attempt(AT_WORK, site.name, partial(_at_work, site, stream)),
    ]


def _opened(site: Site, sent: bytes = b"") -> socket.socket:
    host, port = site.host.split(":")
    sock = socket.create_connection((host, int(port)), WITHIN_S)
    sock.sendall(sent)
    return sock


def _answer(site: Site, sent: bytes, within: float = WITHIN_S) -> bytes:
    """All that comes until the site closes; nothing where it closes at once."""
    parts: list[bytes] = []
    with _opened(site) as sock:
        sock.settimeout(within)
        try:
            sock.sendall(sent)
            while part := sock.recv(65536):
                parts.append(part)
        except ConnectionError:
            pass
    return b"".join(parts)


def _status(answer: bytes) -> int:
    """The status of an answer; 0 where there was none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


def _still_answers(site: Site) -> bool:
    try:
        return requests.get(f"{site.url}/{site.reads[0]}", timeout=_ANSWERS_WITHIN_S).ok
    except requests.RequestException:
        return False


@contextmanager
def _many(site: Site, count: int, sent: bytes = b"") -> Iterator[list[socket.socket]]:
    """Many connections at the same time."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 512
    enough = wanted if hard < 0 else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, enough), hard))
    try:
        with ExitStack() as stack:
            yield [stack.enter_context(_opened(site, sent)) for _ in range(count)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _slow_heads(site: Site) -> Tried:
    with _many(site, _DRIPS, b"GET / HTTP/1.1\r\nHost: localhost\r\n") as opened:
        ends, open_yet = time.monotonic() + HEAD_WITHIN_S + _SPARE_S, opened
        answered = _still_answers(site)
        while open_yet and time.monotonic() < ends:
            open_yet = [sock for sock in open_yet if _takes_a_byte(sock)]
            time.sleep(0.5)
    seen = f"{_DRIPS - len(open_yet)} of {_DRIPS} closed, another request answered: {answered}"
    return worked(bool(open_yet) or not answered, seen)


def _takes_a_byte(sock: socket.socket) -> bool:
    try:
        sock.sendall(b"x")
    except OSError:
        return False
    return True


def _flood(site: Site) -> Tried:
    count = 2 * MOST_CONNECTIONS
    with _many(site, count):
        answered = _still_answers(site)
    return worked(not answered, f"{count} connections, another request answered: {answered}")


def _at_work(site: Site, path: str) -> Tried:
    sent = f"GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with _many(site, MOST_CONNECTIONS, sent) as opened:
        for sock in opened:
            assert _status(sock.recv(4096)) == 200, "a stream was not opened"
        answered = _still_answers(site)
    assert _still_answers(site), "it does not answer afterwards either"
    return worked(not answered, f"{MOST_CONNECTIONS} streams, another answered: {answered}")


def _head(path: str, *lines: str, method: str = "GET") -> bytes:
    first = (f"{method} {path} HTTP/1.1", "Host: localhost", *lines)
    return "".join(f"{line}\r\n" for line in first).encode("latin-1") + b"\r\n"


def _endless_body(site: Site) -> Tried:
    lines = ("Content-Type: application/json", "Content-Length: 9")
    within = BODY_WITHIN_S + _SPARE_S
    try:
        status = _status(
            _answer(site, _head(f"/{site.changes}", *lines, method="POST") + b"{", within)
        )
    except TimeoutError:
        return worked(True, f"still open after {within:.0f} s")
    return worked(status != 408, f"status {status}")


def _huge(site: Site) -> Tried:
    kind, path = "Content-Type: application/json", f"/{site.changes}"
    post = partial(_head, path, kind, method="POST")
    sent = {
        "a header of 1 MiB": _head("/", f"X: {'x' * _MIB}"),
        "100,000 headers": _head("/", *(f"X{number}: x" for number in range(100_000))),
        "an address of 1 MiB": _head(f"/{'x' * _MIB}"),
        "a body of 10 GB": post(f"Content-Length: {10**10}"),
        "a length of 5,000 digits": post(f"Content-Length: {'9' * 5000}"),
        "chunks": post("Transfer-Encoding: chunked") + b"5\r\n{}   \r\n",
    }
    seen = {what: _status(_answer(site, data)) for what, data in sent.items()}
    taken = [what for what, status in seen.items() if 0 < status < 400 or status >= 500]
    return worked(bool(taken) or not _still_answers(site), taken or sorted({*seen.values()}))


def _no_http(site: Site) -> Tried:
    sent = (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"EHLO evil\r\n\r\n",
        b"\0" * 99,
    )
    seen = {_status(_answer(site, one + b"\r\n\r\n")) for one in sent}
    return worked(not seen <= {0, 400} or not _still_answers(site), f"status {sorted(seen)}")


def _traversal(site: Site) -> Tried:
    steps = ("../" * 12, "..%2f" * 12, "%2e%2e/" * 12, "..%5c" * 12, "....//" * 12, "..%252f" * 12)
    files = ("etc/passwd", "usage_platform/web/security.py", "pyproject.toml")
    under = ("/static/", "/static/vendor/", "/static/js/", "/", "/assets/")
    paths = [f"{where}{step}{file}" for where in under for step in steps for file in files]
    paths += [
        "/static//etc/passwd",
        "//etc/passwd",
        "/static/..",
        "/static/%00",
        "/static/vendor/..",
    ]
    paths += [f"/static/{'../' * up}security.py" for up in (1, 2)]
    paths += [f"/static/{'%2e%2e/' * up}security.py" for up in (1, 2)]
    statuses = set()
    for path in paths:
        answer = _answer(site, _head(path, "Connection: close"))
        statuses.add(_status(answer))
        if any(sign in answer for sign in (b"root:", b"import ", b"[project]")):
            return worked(True, path)
    return worked(not _still_answers(site), f"{len(paths)} paths, status {sorted(statuses)}")


def _traces(site: Site) -> Tried:
    odd = ("9" * 5000, "\u0663", "%00", "-1", "[" * 3000, "2024-13-45", "nan", "../..")
    bodies = ("[" * 10_000, '{"a":' * 3000, "1" * 10_000, "NaN", "", '{"meter":[],"query":[]}')
    answers = [
        requests.get(f"{site.url}/{path}", params=dict.fromkeys(_PARAMETERS, text), timeout=60)
        for path in (*site.reads, "no/such/path")
        for text in odd
    ]
    for body in bodies:
        headers = {"Content-Type": "application/json"}
        url = f"{site.url}/{site.changes}"
        answers.append(requests.post(url, body, headers=headers, timeout=60))
    traced = next((one for one in answers if has_trace(one.text)), None)
    statuses = sorted({one.status_code for one in answers})
    return worked(traced is not None, traced.url[:100] if traced is not None else statuses)


_PARAMETERS = ("meter", "year", "from", "to", "what")


def has_trace(text: str) -> bool:
    """Whether a text contains a stack trace of Python."""
    return any(sign in text for sign in _TRACE)


def attempt_on_graphql(site: Site, query: str) -> Attempt:
    """A query that makes Dagster fail."""

    def run() -> Tried:
        answer = requests.post(f"{site.url}/{site.changes}", json={"query": query}, timeout=60)
        assert answer.status_code >= 500, f"Dagster does not fail: {answer.text}"
        return worked(has_trace(answer.text), answer.text)

    return Attempt(TRACES_OF_DAGSTER, site.name, run)
