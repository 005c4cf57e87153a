"""What an open page hears, and what one hears that was cut off for a while."""

import asyncio
import json

import pandas as pd
import pytest

from usage_platform.adapters.kafka.tail import TopicTail
from usage_platform.adapters.kafka.topics import (
    ANOMALY,
    EPISODE,
    USAGE,
)
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.web import live, live_feed
from usage_platform.web.live import news_of, with_expectations
from usage_platform.web.live_feed import KEPT, LiveFeed, News
from usage_platform.web.source import PageSource
from usage_platform.wiring.platform import Platform
from usage_platform_tests.stray_messages import ANOMALY as ANOMALY_MESSAGE
from usage_platform_tests.stray_messages import STRAY
from usage_platform_tests.topics import put_events, until
from usage_platform_tests.web.conftest import METER, OTHER, settings_of


def reading(offset: int, meter: str = "m", topic: str = USAGE) -> News:
    return News((topic, 0), offset, meter, {"at": offset, "kw": 1.0})


def heard(feed: LiveFeed, last_id: str = "", meter: str = "m") -> tuple[dict[str, dict], str]:
    """The events that a page gets at once, by name, and its last id."""

    async def listen() -> list[str]:
        listener = feed.listen(meter, last_id)
        try:
            return await listener.events()
        finally:
            feed.leave(listener)

    events, last = {}, ""
    for text in asyncio.run(listen()):
        fields = dict(line.split(": ", 1) for line in text.strip().splitlines())
        events[fields["event"]] = json.loads(fields["data"])
        last = fields.get("id", last)
    return events, last


def offsets(events: dict[str, dict], topic: str = USAGE) -> list[int]:
    return [item["at"] for item in events.get(topic, {"items": []})["items"]]


def test_a_new_page_hears_what_is_in_memory_of_its_meter():
    feed = LiveFeed()
    feed.add([reading(5), reading(6, "other"), reading(7)])
    events, last = heard(feed)
    assert offsets(events) == [5, 7]
    assert last == "usage.0=8"


def test_a_page_that_comes_back_hears_what_it_missed_and_nothing_twice():
    feed = LiveFeed()
    feed.add([reading(5), reading(6), reading(2, topic=ANOMALY)])
    _, last = heard(feed)
    feed.add([reading(7), reading(3, topic=ANOMALY)])
    events, _ = heard(feed, last)
    assert (offsets(events), offsets(events, ANOMALY)) == ([7], [3])


def test_a_page_that_missed_more_than_is_in_memory_loads_all_anew():
    feed = LiveFeed()
    feed.add(reading(n) for n in range(KEPT + 10))
    assert "reset" in heard(feed, "usage.0=9")[0]
    assert offsets(heard(feed, "usage.0=10")[0]) == list(range(10, KEPT + 10))


def test_a_page_that_knows_of_a_former_topic_loads_all_anew():
    feed = LiveFeed()
    feed.add([reading(0)])
    assert "reset" in heard(feed, "usage.0=500")[0]


def test_a_server_that_has_just_started_compares_once_it_hears_of_the_partition():
    async def play() -> list[list[str]]:
        feed = LiveFeed()
        listener = feed.listen("m", "usage.0=5")
        before = await listener.events()
        feed.add([reading(9)])
        return [before, await listener.events()]

    before, after = asyncio.run(play())
    assert not any("reset" in event for event in before)
    assert any("reset" in event for event in after)


@pytest.mark.parametrize(
    "text",
    ["", "usage", "usage.0=x", "usage.x=1", "usage.0=²", "usage.²=1", "=", ",,,", "a" * 9999],
)
def test_an_id_of_another_form_is_that_of_a_new_page(text):
    feed = LiveFeed()
    feed.add([reading(5)])
    assert offsets(heard(feed, text)[0]) == [5]


def test_how_the_platform_stands_is_told_first_and_at_each_change():
    async def play() -> list[list[str]]:
        feed = LiveFeed()
        feed.report_brokers("no broker")
        listener = feed.listen("m", "")
        first = await listener.events()
        feed.add([reading(1, "other")])
        nothing = await listener.events()
        feed.report_brokers("")
        feed.report_lake("7-3", "")
        return [first, nothing, await listener.events()]

    first, nothing, then = asyncio.run(play())
    assert '"brokers":"no broker"' in first[0]
    assert nothing == []
    assert '"brokers":""' in then[0]
    assert '"version":"7-3"' in then[0]


def test_a_mistake_in_the_descriptions_of_meters_is_told_until_it_is_corrected(monkeypatch):
    monkeypatch.setattr(live, "LAKE_EVERY_SECONDS", 0.001)
    notices = ["", "meter a: a mistake", ""]

    async def play() -> list[str]:
        feed, told = LiveFeed(), []
        listener = feed.listen("m", "")
        watching = asyncio.create_task(
            live.watch_lake(feed, lambda: "7-3", lambda: notices.pop(0) if notices else "")
        )
        while len(told) < 3 or notices:
            told += [json.loads(e.partition("data: ")[2])["lake"] for e in await listener.events()]
        watching.cancel()
        return told

    assert asyncio.run(asyncio.wait_for(play(), 10))[-2:] == ["meter a: a mistake", ""]


def test_the_lake_is_watched_on_after_an_error_of_any_kind(monkeypatch):
    monkeypatch.setattr(live, "LAKE_EVERY_SECONDS", 0.001)
    versions = iter([PermissionError("of another user"), "8-0"])

    def version() -> str:
        found = next(versions, "8-0")
        if isinstance(found, Exception):
            raise found
        return found

    async def play() -> list[dict[str, str]]:
        feed, news = LiveFeed(), []
        listener = feed.listen("m", "")
        watching = asyncio.create_task(live.watch_lake(feed, version, lambda: ""))
        while not news or news[-1]["version"] != "8-0":
            news += [json.loads(e.partition("data: ")[2]) for e in await listener.events()]
        watching.cancel()
        return news

    news = asyncio.run(asyncio.wait_for(play(), 10))
    said = "the lake's version cannot be read (PermissionError): see the log"
    assert any(one["lake"] == said for one in news)
    assert news[-1]["lake"] == ""


def test_a_page_to_which_nothing_happens_hears_a_heartbeat(monkeypatch):
    monkeypatch.setattr(live_feed, "HEARTBEAT_SECONDS", 0.01)

    async def play() -> list[str]:
        listener = LiveFeed().listen("m", "")
        await listener.events()
        return await listener.events()

    assert asyncio.run(play()) == [": heartbeat\n\n"]


def test_a_reading_comes_with_its_range_once_somebody_looks_at_its_meter(made_once, readings):
    source = PageSource.of(Platform(settings_of(made_once)))
    newest = readings[readings["meter"] == "m"]["event_time"].max()
    news = [
        News((USAGE, 0), 1, "m", {"at": newest, "kw": 1.0}),
        News((USAGE, 0), 2, "m", {"at": newest + pd.Timedelta(hours=1), "kw": 500.0}),
        News((USAGE, 0), 3, OTHER.name, {"at": newest, "kw": 5.0}),
        reading(9, topic=ANOMALY),
    ]

    async def told(is_looked_at: bool) -> list[News]:
        feed = LiveFeed()
        feed.listen("m", "")
        if is_looked_at:
            source.years.year(METER, None)
        return with_expectations(news, feed, source)

    assert asyncio.run(told(is_looked_at=False)) == news
    found = asyncio.run(told(is_looked_at=True))
    expected = {"low": 300.0, "high": 1000.0}
    assert found[1].content == {**news[1].content, **expected}
    assert [found[0], *found[2:]] == [news[0], *news[2:]]  # The lake has the first one's.


@pytest.mark.kafka
@pytest.mark.timeout(60)
def test_messages_of_all_topics_are_heard_as_they_come_and_rejects_and_stray_ones_are_not(kafka):
    registry = MeterRegistry(Meter("m", "America/New_York", 5))
    seen: list[News] = []
    told: list[str] = []
    tail = TopicTail(
        lambda: kafka,
        (USAGE, ANOMALY, EPISODE),
        10,
        lambda messages: seen.extend(news_of(messages, registry)),
        told.append,
    )
    before = b'{"ts": "2024-03-05T12:00:00Z", "value": 1.0}'
    put_events(kafka, [before])
    tail.start()
    try:
        until(lambda: len(seen) == 1)
        put_events(kafka, [b"{half", b'{"ts": "2024-03-05T13:05:00-05:00", "value": 871.2}'])
        anomaly = {**ANOMALY_MESSAGE, "ts": "2024-03-05T13:05:00-05:00", "meter": "m"}
        put_events(kafka, [*STRAY, json.dumps(anomaly).encode()], ANOMALY)
        put_events(kafka, STRAY, EPISODE)
        until(lambda: len(seen) == 3)
    finally:
        tail.stop()
    at = pd.Timestamp("2024-03-05T18:05:00Z")
    assert told == [""]
    by_topic = {news.place[0]: news for news in seen[1:]}
    assert by_topic[USAGE].content == {"at": at, "kw": 871.2}
    assert by_topic[ANOMALY].content["at"] == at
    assert by_topic[USAGE].meter == "m"
