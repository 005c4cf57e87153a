"""A buffer of the latest messages, and each connected page's position in it.

Belongs here: what each client has received, and where it resumes after a reconnect. Not here: the
origin of messages (`live`, `adapters.kafka.tail`).

The id of an event holds the next offset of each partition, such as `usage.0=17,anomaly.0=3`. A
client that reconnects with it receives what it missed; if that is no longer buffered, it receives
`reset` and reloads all data.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from usage_platform.web.answers import as_json

KEPT = 5000
"""Buffered messages: hours of a few meters, or a second of a fast playback."""

HEARTBEAT_SECONDS = 15.0

Place = tuple[str, int]
"""Topic and partition."""


@dataclass(frozen=True)
class News:
    """One message of a topic.

    Attributes:
        place: Its topic and partition.
        offset: Its offset.
        meter: Name of its meter.
        content: Its fields, for the page.
    """

    place: Place
    offset: int
    meter: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """Health of brokers and lake.

    Attributes:
        brokers: Error of the brokers; empty while they work.
        lake: What is wrong with the lake or a file in it; empty while nothing is.
        version: Version of the lake's tables.
    """

    brokers: str = ""
    lake: str = ""
    version: str = ""


class LiveFeed:
    """The latest messages and the clients; written by one thread, read by the event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._news: deque[News] = deque(maxlen=KEPT)
        self._count = 0
        self._next: dict[Place, int] = {}
        self._kept_from: dict[Place, int] = {}
        self._listeners: set[Listener] = set()
        self._standing = Standing()

    def add(self, news: Iterable[News]) -> None:
        """Append messages in order and wake the clients."""
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

    def report_brokers(self, trouble: str) -> None:
        """Set the error of the brokers; "" while they work."""
        self._stand(brokers=trouble)

    def report_lake(self, version: str, trouble: str) -> None:
        """Set the lake's version and error; an empty version keeps the last one."""
        self._stand(lake=trouble, **({"version": version} if version else {}))

    @property
    def standing(self) -> Standing:
        """Health of brokers and lake."""
        return self._standing

    def is_heard_by(self, meter: str) -> bool:
        """Whether a client is subscribed to a meter."""
        with self._lock:
            return any(listener.meter == meter for listener in self._listeners)

    @property
    def is_heard(self) -> bool:
        """Whether a client is connected."""
        return bool(self._listeners)

    def listen(self, meter: str, last_id: str) -> "Listener":
        """Register a client; must be called on the event loop.

        Args:
            meter: The meter it subscribes to.
            last_id: Its last event id; empty for a new client.
        """
        listener = Listener(self, meter, _places(last_id))
        with self._lock:
            self._listeners.add(listener)
        return listener

    def leave(self, listener: "Listener") -> None:
        """Unregister a client."""
        with self._lock:
            self._listeners.discard(listener)

    def since(self, heard: int, known: dict[Place, int]) -> tuple[list[News], int, bool]:
        """Messages that a client has not received.

        Args:
            heard: The message count at its last call.
            known: Next offsets from its event id, for partitions it has not read since.

        Returns:
            The messages, the message count now, and whether some are no longer buffered.
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
        """Whether a message of a partition was received."""
        return place in self._kept_from

    @property
    def forgotten(self) -> int:
        """Number of messages dropped from the buffer."""
        with self._lock:
            return self._count - len(self._news)

    def position(self) -> str:
        """The next offset of each partition, as an event id."""
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
    """One connected page; `meter` is the meter it is subscribed to."""

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
        """Make it check for messages; may be called from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def events(self) -> list[str]:
        """The next events in wire format; a heartbeat if there are none."""
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
        # Keep the offsets of partitions without a message so far: they are still to be compared.
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
    """Parse an event id; malformed parts are ignored."""
    found: dict[Place, int] = {}
    for part in text[:2000].split(","):
        name, _, offset = part.partition("=")
        topic, _, number = name.rpartition(".")
        # Headers may have ², which is a digit and no number.
        if topic and all(one.isascii() and one.isdigit() for one in (number, offset)):
            found[topic, int(number)] = int(offset)
    return found
