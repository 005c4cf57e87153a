"""Everything around the routes in memory: files, topic, sinks; it can be killed at each step.

A kill is an exception before or after the effect of one write, delivery, commit or dead letter.
What the process knew is lost with it: each turn begins from the files and the committed offset.
"""

import json
from collections import Counter
from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.stores.alert_routes import routes_in
from usage_platform.core.alerts.alert import DeliveryError, Severity
from usage_platform.core.alerts.routes import Routes
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.services.route_decisions import FeedMessage, RoutingInputs
from usage_platform.services.routed_alerts import RoutedAlerts

START = datetime(2024, 3, 5, 12, tzinfo=UTC)
ZONE = "America/New_York"
ROUTES = routes_in(
    """
targets:
  facility: {sink: email, to: [facility@example.org]}
  oncall: {sink: slack}
  manager: {sink: webhook}
routes:
  - name: quiet
    meters: ["a*"]
    targets: [facility]
    quiet_hours: 22:00-07:00
    escalate_after:
      - {hours: 4, targets: [oncall]}
      - {hours: 30, targets: [manager]}
  - name: severe
    min_severity: high
    targets: [oncall, manager]
""",
    "alerts.yaml",
)


def routes(text):
    """Routes as `assets/alerts.yaml` has them."""
    return routes_in(text, "alerts.yaml")


def is_quiet(at):
    """Whether it is in the quiet hours of `ROUTES`."""
    hour = at.astimezone(Meter("m", ZONE).zone).hour
    return hour >= 22 or hour < 7


class Kill(BaseException):
    """The process dies: nothing may catch it."""


@dataclass
class Clock:
    """Counts the steps and dies at one of them."""

    kill_at: int | None = None
    is_after: bool = False
    steps: int = 0

    def do(self, effect):
        """An effect outside of the process."""
        self.steps += 1
        is_last = self.steps == self.kill_at
        if is_last and not self.is_after:
            raise Kill
        effect()
        if is_last:
            raise Kill


class MemoryFiles:
    """The lake's files, as far as records need them."""

    root = "memory"

    def __init__(self, world):
        self._world = world
        self._texts = {}

    def read_text(self, name):
        return self._texts.get(name)

    def read_json(self, name):
        return json.loads(self._texts[name]) if name in self._texts else None

    def exists(self, name):
        return name in self._texts

    def names(self, folder):
        return sorted(
            name.partition("/")[2] for name in self._texts if name.startswith(f"{folder}/")
        )

    def write_text(self, name, text):
        self._world.clock.do(lambda: self._texts.update({name: text}))

    def damaged(self, name, error):
        return LakeError(f"{name}: damaged ({error})")


@dataclass
class FakeSink:
    """A target that keeps what it gets."""

    name: str
    world: "World"
    alerts: list = field(default_factory=list)
    fails: bool = False

    def deliver(self, alert, now):
        if self.fails:
            raise DeliveryError("answered 503")
        self.world.clock.do(lambda: self.alerts.append((now, alert)))


@dataclass
class Feed:
    """The topic from the committed offset on."""

    world: "World"
    topic: str = "topic-1"

    def messages(self):
        topic = self.world.topic
        return [FeedMessage(0, n, topic[n]) for n in range(self.world.committed, len(topic))]

    def commit(self, count):
        def effect():
            self.world.committed += count

        self.world.clock.do(effect)


class World:
    """A platform with some targets.

    Args:
        routes: Its targets and routes.
        sinks: Where alerts go that no route takes.
    """

    def __init__(self, routes: Routes, sinks: Collection[str] = ("slack",)) -> None:
        self.clock = Clock()
        self.files = MemoryFiles(self)
        self.topic = []
        self.committed = 0
        self.now = START
        self.routes = routes
        self.sinks = {name: FakeSink(name, self) for name in sinks}
        self.targets = {one.name: FakeSink(one.name, self) for one in routes.targets}
        self.acknowledged = set()
        self.costs = {}
        self.groups = {}
        self.letters = []
        self.kills = 0

    @property
    def receivers(self):
        return {**self.sinks, **self.targets}

    def publish(self, *events):
        self.topic.extend(events)

    def wait(self, hours):
        self.now += timedelta(hours=hours)

    def turn(self, kill_at=None, is_after=False):
        """One turn; returns what it reported, or None if it was killed."""
        self.clock = Clock(kill_at, is_after)
        alerts = RoutedAlerts(
            assets=self.files,
            targets=self.receivers,
            inputs=RoutingInputs(
                routes=self.routes,
                sinks=tuple(self.sinks),
                least=Severity.MEDIUM,
                registry=MeterRegistry(Meter("default", ZONE)),
                groups=lambda meter: frozenset(self.groups.get(meter, ())),
                cost=lambda event: self.costs.get(event["meter"]),
                acknowledged=lambda: self.acknowledged,
            ),
            feed=lambda: nullcontext(Feed(self)),
            turns=lambda name: FreeTurn(),
            give_up=self._give_up,
        )
        try:
            return dict(alerts.turn(self.now, 1000.0))
        except Kill:
            self.kills += 1
            return None

    def _give_up(self, name, alert, reason, tries):
        self.clock.do(lambda: self.letters.append((name, alert.key, reason, tries)))

    def settle(self):
        """Run turns without a kill for four days, and see that nothing is left to be sent."""
        for _ in range(16):
            self.turn()
            self.wait(6)
        before = sum(len(sink.alerts) for sink in self.receivers.values())
        self.turn()
        assert before == sum(len(sink.alerts) for sink in self.receivers.values())

    def keys(self, name) -> Counter:
        """How often a target got each alert, in a digest or alone."""
        return Counter(key for _, key in self.deliveries(name))

    def deliveries(self, name):
        """When a target got which alert, in a digest or alone."""
        return [
            (at, one["id"])
            for at, alert in self.receivers[name].alerts
            for one in alert.event.get("alerts", [alert.as_json()])
        ]


class FreeTurn:
    """A right that nobody else asks for."""

    def taken(self):
        return nullcontext()


def event(meter, hour, status="opened", kind="spike", severity="high"):
    """A message of the topic `episode` on an episode that began some hours after the start."""
    start = START + timedelta(hours=hour)
    said = {
        "event_id": f"{meter}{hour}{status}",
        "meter": meter,
        "status": status,
        "at": start.isoformat(),
        "episode": f"{start:%Y-%m-%dT%H:%MZ}",
    }
    if status == "withdrawn":
        return said
    return {
        **said,
        "start": start.isoformat(),
        "end": (start + timedelta(hours=1)).isoformat(),
        "kind": kind,
        "severity": severity,
        "excess_kwh": 1.0,
        "explanation": "more than usual",
    }


def key(meter, hour, state="opened"):
    """The key of the alert on such a message."""
    return f"{meter}/{START + timedelta(hours=hour):%Y-%m-%dT%H:%MZ}:{state}"


def cost(text):
    return Decimal(text)
