"""What happens now, as server-sent events: readings, odd ones, episodes, and the lake moving on.

Belongs here: `/api/stream`, what messages say, and the look at the lake. Not here: who has heard
what (`live_feed`), following the topics (`adapters.topic_tail`).
"""

import asyncio
import json
from collections.abc import AsyncIterator

import pandas as pd
from confluent_kafka import Message
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from usage_platform.adapters.kafka_topics import USAGE
from usage_platform.adapters.lake_errors import LakeError
from usage_platform.adapters.power_book import PowerBook
from usage_platform.adapters.topic_events import raw_frame
from usage_platform.core.batch import judge
from usage_platform.core.meters import MeterRegistry
from usage_platform.web.live_feed import LiveFeed, News
from usage_platform.web.parameters import meter_of

LAKE_EVERY_SECONDS = 2.0
_RETRY_MS = 2000


async def stream(request: Request) -> Response:
    """All that happens to a meter from now on, or from where a cut-off page had come."""
    meter = (await run_in_threadpool(meter_of, request)).name
    feed: LiveFeed = request.app.state.feed
    last = request.headers.get("last-event-id", "")
    return StreamingResponse(
        _told(feed, meter, last),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _told(feed: LiveFeed, meter: str, last: str) -> AsyncIterator[str]:
    listener = feed.listen(meter, last)
    try:
        yield f"retry: {_RETRY_MS}\n\n"
        while True:
            for event in await listener.events():
                yield event
    finally:
        feed.leave(listener)


async def watch_lake(feed: LiveFeed, book: PowerBook) -> None:
    """Tell of the lake's versions for as long as anybody listens; runs until it is cancelled."""
    while True:
        if feed.is_heard:
            try:
                feed.tell_lake(await run_in_threadpool(book.version), "")
            except LakeError as error:
                feed.tell_lake("", str(error))
        await asyncio.sleep(LAKE_EVERY_SECONDS)


def news_of(messages: list[Message], registry: MeterRegistry) -> list[News]:
    """What messages of the topics `usage`, `anomaly` and `episode` say, for the page.

    Events of `usage` that are no reading are left out: they are not for the chart.
    """
    usage = [message for message in messages if message.topic() == USAGE]
    news = [_told_by(message) for message in messages if message.topic() != USAGE]
    readings = judge(raw_frame(usage), registry).readings if usage else None
    for row in [] if readings is None else readings.to_dict("records"):
        content = {"at": row["event_time"], "kw": row["value"]}
        news.append(News((USAGE, row["partition"]), row["offset"], row["meter"], content))
    return sorted(news, key=lambda one: (one.place, one.offset))


def _told_by(message: Message) -> News:
    topic, said = message.topic() or "", json.loads(message.value() or b"{}")
    at = said.get("ts") or said.get("at")
    content = {**said, "at": pd.Timestamp(at).tz_convert("UTC")}
    place = (topic, message.partition() or 0)
    return News(place, message.offset() or 0, said["meter"], content)


ROUTES = (Route("/api/stream", stream),)
