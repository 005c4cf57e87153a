"""The page's server as one ASGI app.

Belongs here: wiring routes, security and the live feed. Not here: listening on a port
(`server`).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from secrets import token_hex

from confluent_kafka import Message
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from usage_platform.adapters.kafka.tail import TopicTail
from usage_platform.adapters.kafka.topics import ANOMALY, EPISODE, USAGE, KafkaSettings
from usage_platform.adapters.lake.errors import LakeError
from usage_platform.web import (
    comparison,
    episodes,
    export,
    findings,
    fleet,
    forecast,
    hours,
    live,
    overlay,
    overview,
    series,
    stack,
)
from usage_platform.web.answers import failed, lake_fault, refused
from usage_platform.web.live import news_of, silences, watch_lake, with_expectations
from usage_platform.web.live_feed import LiveFeed
from usage_platform.web.security import SameOriginOnly
from usage_platform.web.source import PageSource

STATIC = Path(__file__).with_name("static")
VENDOR = STATIC / "vendor"
NEEDED = ("uPlot.iife.min.js", "uPlot.min.css")
"""Third-party files that set-up downloads into `VENDOR`."""

_TOPICS = (USAGE, ANOMALY, EPISODE)
_RECENT = 300


def create_app(
    source: PageSource, kafka: Callable[[], KafkaSettings], host: str = "", vendor: Path = VENDOR
) -> ASGIApp:
    """Create the app behind its guard; it consumes the topics while it runs.

    Args:
        source: The data behind the page.
        kafka: Returns the broker settings; raises `KafkaUnreachableError` while there are none.
        host: An additional host name under which the page is served.
        vendor: Folder of the third-party files.
    """

    def index(request: Request) -> Response:
        # A link to a meter, a year or an episode has a query.
        if not request.query_params and _shows_fleet(source):
            return FileResponse(STATIC / "fleet.html")
        return _with_charts("index.html", vendor)

    app = Starlette(
        routes=[
            Route("/", index),
            Route("/fleet", lambda request: FileResponse(STATIC / "fleet.html")),
            Route("/compare", lambda request: _with_charts("compare.html", vendor)),
            Route("/parts", lambda request: _with_charts("parts.html", vendor)),
            *(*fleet.ROUTES, *overlay.ROUTES, *comparison.ROUTES, *stack.ROUTES),
            *(*series.ROUTES, *overview.ROUTES, *hours.ROUTES),
            *(*episodes.ROUTES, *findings.ROUTES, *forecast.ROUTES, *export.ROUTES, *live.ROUTES),
            Mount("/static/vendor", StaticFiles(directory=vendor, check_dir=False)),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(GZipMiddleware, minimum_size=1000, compresslevel=6)],
        exception_handlers={
            HTTPException: refused,
            LakeError: lake_fault,
            Exception: failed,
        },
        lifespan=_following(source, kafka),
    )
    app.state.source = source
    app.state.started = token_hex(4)
    app.state.feed = LiveFeed()
    # Around all of it: what fails is answered with the same headers.
    return SameOriginOnly(app, host)


def _with_charts(name: str, vendor: Path) -> Response:
    """A page that needs the files of `NEEDED`, or one line on how to get them."""
    missing = [file for file in NEEDED if not (vendor / file).is_file()]
    if missing:
        return PlainTextResponse(
            f"{', '.join(missing)}: not downloaded yet; run make setup, then reload this page", 503
        )
    return FileResponse(STATIC / name)


def _shows_fleet(source: PageSource) -> bool:
    """Whether the first page is that of all meters; of a lake that fails it is a meter's."""
    try:
        return source.has_several_meters
    except LakeError:
        return False


def _load_first(source: PageSource) -> None:
    """Preload the first page; errors are reported by the request that needs the data."""
    with contextlib.suppress(LakeError, ValueError):
        if source.has_several_meters:
            source.fleet.fleet()
        else:
            meter = source.default_meter
            source.years.year(source.registry().get(meter.name), None)


def _following(
    source: PageSource, kafka: Callable[[], KafkaSettings]
) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    """Background tasks: consuming the topics and polling the lake's version."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        feed: LiveFeed = app.state.feed

        def heard(messages: list[Message]) -> None:
            try:
                registry = source.registry()
            except LakeError as error:  # Without the meters, nothing new is shown.
                feed.report_lake("", str(error))
                return
            news = news_of(messages, registry)
            for meter, start in silences(news):
                source.fleet.note_silence(meter, start)
            try:
                news = with_expectations(news, feed, source)
            except LakeError as error:  # A reading without its range is better than none.
                feed.report_lake("", str(error))
            feed.add(news)

        tail = TopicTail(kafka, _TOPICS, _RECENT, heard, feed.report_brokers)
        tail.start()
        lake = asyncio.create_task(watch_lake(feed, source.years.version, source.notice))
        first = asyncio.create_task(asyncio.to_thread(_load_first, source))
        try:
            yield
        finally:
            lake.cancel()
            first.cancel()
            await asyncio.to_thread(tail.stop)

    return lifespan
