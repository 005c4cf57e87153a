"""The latest news in memory, and what each open page has not heard of them yet.

Belongs here: who is told what, and where a page goes on that was cut off. Not here: where news come
from (`live`, `adapters.kafka.tail`).

An event's id says how far in each partition its listener has come, as `usage.0=17,anomaly.0=3`. A
listener that comes back with one hears what it missed; when that is no longer in memory it is told
to load the page's data anew.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from usage_platform.web.answers import as_json

KEPT = 5000
"""Messages in memory: hours of a few meters, or what a fast playback sends in a second."""

HEARTBEAT_SECONDS = 15.0

Place = tuple[str, int]
"""A topic's partition."""


@dataclass(frozen=True)
class News:
    """One message of a topic.

    Attributes:
        place: Where it stands.
        offset: At which offset.
        meter: Whom it is about.
        content: For the page.
    """

    place: Place
    offset: int
    meter: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """How the platform stands.

    Attributes:
        brokers: What is wrong with the brokers; empty when nothing is.
        lake: What is wrong with the lake; empty when nothing is.
        version: Of the lake's tables.
    """

    brokers: str = ""
    lake: str = ""
    version: str = ""


class LiveFeed:
    """The latest news, and those who listen. Written to by one thread, read by the event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._news: deque[News] = deque(maxlen=KEPT)
        self._count = 0
        self._next: dict[Place, int] = {}
        self._kept_from: dict[Place, int] = {}
        self._listeners: set[Listener] = set()
        self._standing = Standing()

    def add(self, news: Iterable[News]) -> None:
        """Take news in their order, and wake who listens."""
        with self._lock:
            for one in news:
                if len(self._news) == KEPT:
                    oldest = self._news[0]
                    self._kept_from[oldest.place] = oldest.offset + 1
                self._kept_from.setdefault(one.place, one.offset)
                self._news.append(one)
                self._count += 1
                self._next[one.place] = one.offset + 1
        self._wake()

    def tell_brokers(self, trouble: str) -> None:
        """Say what is wrong with the brokers, or "" when nothing is."""
        self._stand(brokers=trouble)

    def tell_lake(self, version: str, trouble: str) -> None:
        """Say how the lake stands; without a version it stays at the one that was told last."""
        self._stand(lake=trouble, **({"version": version} if version else {}))

    @property
    def standing(self) -> Standing:
        """How the platform stands."""
        return self._standing

    def is_heard_by(self, meter: str) -> bool:
        """Whether anybody listens to a meter."""
        with self._lock:
            return any(listener.meter == meter for listener in self._listeners)

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def listen(self, meter: str, last_id: str) -> "Listener":
        """A new listener; must be called on the event loop.

        Args:
            meter: Whose news it hears.
            last_id: How far it had come; empty for one that is new.
        """
        listener = Listener(self, meter, _places(last_id))
        with self._lock:
            self._listeners.add(listener)
        return listener

    def leave(self, listener: "Listener") -> None:
        """Let go of a listener."""
        with self._lock:
            self._listeners.discard(listener)

    def since(self, heard: int, known: dict[Place, int]) -> tuple[list[News], int, bool]:
        """News that a listener has not heard.

        Args:
            heard: How many news there were when it last asked.
            known: How far it had come before, in partitions that it has not asked about yet.

        Returns:
            The news, how many there are by now, and whether some were lost in between.
        """
        with self._lock:
            fresh = min(self._count - heard, len(self._news))
            lost = self._count - heard > len(self._news)
            found = list(self._news)[len(self._news) - fresh :]
            lost = lost or any(
                known[place] < first or known[place] > self._next[place]
                for place, first in self._kept_from.items()
                if place in known
            )
            return [n for n in found if n.offset >= known.get(n.place, 0)], self._count, lost

    def knows(self, place: Place) -> bool:
        """Whether there was news of a partition."""
        return place in self._kept_from

    @property
    def forgotten(self) -> int:
        """How many news are in memory no more."""
        with self._lock:
            return self._count - len(self._news)

    def position(self) -> str:
        """How far the news have come, as an event's id."""
        with self._lock:
            return ",".join(f"{t}.{p}={at}" for (t, p), at in sorted(self._next.items()))

    def _stand(self, **changed: str) -> None:
        with self._lock:
            before, self._standing = self._standing, replace(self._standing, **changed)
        if self._standing != before:
            self._wake()

    def _wake(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener.wake()


class Listener:
    """One open page; `meter` is whose news it hears."""

    def __init__(self, feed: LiveFeed, meter: str, known: dict[Place, int]) -> None:
        self._feed = feed
        self.meter = meter
        self._known = known
        self._heard = feed.forgotten
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._woken.set()
        self._standing: Standing | None = None

    def wake(self) -> None:
        """Have it look for news; from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def events(self) -> list[str]:
        """The next events, as they go over the wire; a heartbeat when nothing happens."""
        try:
            await asyncio.wait_for(self._woken.wait(), HEARTBEAT_SECONDS)
        except TimeoutError:
            return [": heartbeat\n\n"]
        self._woken.clear()
        said = []
        standing = self._feed.standing
        if standing != self._standing:
            said.append(_event("standing", standing))
            self._standing = standing
        position = self._feed.position()
        news, self._heard, lost = self._feed.since(self._heard, self._known)
        # Of a partition that nothing was heard of yet, the place is still to be compared.
        self._known = {p: at for p, at in self._known.items() if not self._feed.knows(p)}
        if lost:
            return [*said, _event("reset", {}, position)]
        own: dict[str, list[object]] = {}
        for one in news:
            if one.meter == self.meter:
                own.setdefault(one.place[0], []).append(one.content)
        said += [_event(topic, {"items": items}, position) for topic, items in own.items()]
        return said


def _event(name: str, content: object, position: str = "") -> str:
    place = f"id: {position}\n" if position else ""
    return f"event: {name}\n{place}data: {as_json(content)}\n\n"


def _places(text: str) -> dict[Place, int]:
    """How far a listener had come; what is not of the form of an id says nothing."""
    found: dict[Place, int] = {}
    for part in text[:2000].split(","):
        name, _, offset = part.partition("=")
        topic, _, number = name.rpartition(".")
        if topic and number.isascii() and number.isdigit() and offset.isdigit():
            found[topic, int(number)] = int(offset)
    return found
