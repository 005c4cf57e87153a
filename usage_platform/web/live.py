"""Live updates as server-sent events: readings, anomalies, episodes, new table versions.

Belongs here: `/api/stream`, decoding messages, polling the lake. Not here: which client has
received what (`live_feed`), consuming the topics (`adapters.kafka.tail`).
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from confluent_kafka import Message
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from usage_platform.adapters.kafka.events import raw_frame
from usage_platform.adapters.kafka.topics import ANOMALY, EPISODE, USAGE
from usage_platform.adapters.lake.errors import LakeError
from usage_platform.core.anomalies.episodes import episode_start
from usage_platform.core.anomalies.gap_messages import SILENT
from usage_platform.core.anomalies.message_parsing import parse_anomaly, parse_episode
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.validation import validate_events
from usage_platform.web.live_feed import LiveFeed, News
from usage_platform.web.parameters import meter_of
from usage_platform.web.source import PageSource

_LOG = logging.getLogger(__name__)
LAKE_EVERY_SECONDS = 2.0
NO_METER = ""
"""The name of no meter."""

_RETRY_MS = 2000


async def stream(request: Request) -> Response:
    """A meter's events from now on, or from `Last-Event-ID` after a reconnect."""
    meter = (await run_in_threadpool(meter_of, request)).name
    feed: LiveFeed = request.app.state.feed
    last = request.headers.get("last-event-id", "")
    return StreamingResponse(
        _published(feed, meter, last),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def standing(request: Request) -> Response:
    """The health of brokers and lake, and its version, from now on; of no meter."""
    return StreamingResponse(
        _published(request.app.state.feed, NO_METER, ""),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _published(feed: LiveFeed, meter: str, last: str) -> AsyncIterator[str]:
    listener = feed.listen(meter, last)
    try:
        yield f"retry: {_RETRY_MS}\n\n"
        while True:
            for event in await listener.events():
                yield event
    finally:
        feed.leave(listener)


async def watch_lake(feed: LiveFeed, version: Callable[[], str], notice: Callable[[], str]) -> None:
    """Publish the lake's version while clients are connected; runs until it is cancelled.

    Args:
        feed: Where it is published.
        version: Returns the version of the lake's tables.
        notice: Returns what is wrong with a file that people write; else empty.
    """
    while True:
        if feed.is_heard:
            try:
                newest = await run_in_threadpool(version)
                feed.report_lake(newest, await run_in_threadpool(notice))
            except LakeError as error:
                feed.report_lake("", str(error))
            # Else the task would end, and all pages would show what there was for ever.
            except Exception as error:
                _LOG.exception("the lake's version cannot be read")
                name = type(error).__name__
                feed.report_lake("", f"the lake's version cannot be read ({name}): see the log")
        await asyncio.sleep(LAKE_EVERY_SECONDS)


def news_of(messages: list[Message], registry: MeterRegistry) -> list[News]:
    """Decode messages of the topics `usage`, `anomaly` and `episode` for the page.

    Rejected events of `usage` and unreadable messages of the others are left out.
    """
    usage = [message for message in messages if message.topic() == USAGE]
    news = [one for m in messages if m.topic() != USAGE and (one := _news(m)) is not None]
    readings = validate_events(raw_frame(usage), registry).readings if usage else None
    for row in [] if readings is None else readings.to_dict("records"):
        content = {"at": row["event_time"], "kw": row["value"]}
        news.append(News((USAGE, row["partition"]), row["offset"], row["meter"], content))
    return sorted(news, key=lambda one: (one.place, one.offset))


def silences(news: list[News]) -> Iterator[tuple[str, int]]:
    """Each meter that is reported as silent, and from when on, ns since 1970 UTC."""
    for one in news:
        if one.place[0] == EPISODE and one.content.get("kind") == SILENT:
            # Anyone can write to the topic: a name that is no time is no silence.
            with contextlib.suppress(ValueError):
                yield one.meter, episode_start(one.content["episode"])


def with_expectations(news: list[News], feed: LiveFeed, source: PageSource) -> list[News]:
    """Add the expected range to readings of the meters that clients are subscribed to.

    Readings already in the lake have their range there.
    """
    heard = {one.meter for one in news if one.place[0] == USAGE and feed.is_heard_by(one.meter)}
    known: dict[tuple[str, int], dict[str, object]] = {}
    for name in heard:
        own = {n.content["at"].value: n.content["kw"] for n in news if _is_reading(n, name)}
        times = np.array(sorted(own), dtype=np.int64)
        values = np.array([own[at] for at in times.tolist()], dtype=np.float64)
        judged = source.years.ahead(source.registry().get(name), times, values)
        if judged is not None:
            bands = zip(judged.low.tolist(), judged.high.tolist(), strict=True)
            for at, (low, high) in zip(judged.instants.tolist(), bands, strict=True):
                known[name, at] = {"low": low, "high": high}
    return [
        replace(one, content={**one.content, **known[one.meter, at]})
        if one.place[0] == USAGE and (one.meter, at := one.content["at"].value) in known
        else one
        for one in news
    ]


def _is_reading(news: News, meter: str) -> bool:
    return news.place[0] == USAGE and news.meter == meter


def _news(message: Message) -> News | None:
    topic = message.topic() or ""
    parse = parse_anomaly if topic == ANOMALY else parse_episode
    said = parse(message.value())
    if said is None:
        return None
    at = pd.Timestamp(said["ts"] if topic == ANOMALY else said["at"])
    content = {**said, "at": at.tz_convert("UTC")}
    place = (topic, message.partition() or 0)
    return News(place, message.offset() or 0, said["meter"], content)


ROUTES = (Route("/api/stream", stream), Route("/api/standing", standing))
