"""Alerts of quiet hours wait for their end, and are one digest then."""

from usage_platform.adapters.stores.alert_record import AlertRecord
from usage_platform.core.alerts import alert_queue
from usage_platform.core.alerts.alert import AlertState
from usage_platform_tests.services.routed_world import (
    ROUTES,
    START,
    World,
    event,
    is_quiet,
    key,
    routes,
)


def test_held_alerts_are_one_digest_at_the_end_of_the_quiet_hours():
    world = World(ROUTES)
    world.wait(11)  # 18:00 in New York: 23:00 UTC.
    world.turn()
    world.publish(event("a1", 11))
    world.turn()
    assert list(world.keys("facility")) == [key("a1", 11)]
    world.wait(5)
    world.publish(event("a1", 11, "closed"), event("a2", 16), event("b1", 16))
    for _ in range(7):
        world.turn()
        world.wait(1)
    assert len(world.targets["facility"].alerts) == 1, "it is quiet"
    assert list(world.keys("oncall"))[-1] == key("b1", 16), "another route has no quiet hours"
    world.wait(1)
    world.turn()
    _, digest = world.targets["facility"].alerts[-1]
    assert digest.standing.state is AlertState.DIGEST
    assert digest.title == "2 alerts were held"
    assert "Held until Wed 6 Mar 2024, 07:00 EST.\n\na1: spike is over" in digest.text
    assert [one["id"] for one in digest.event["alerts"]] == [key("a1", 11, "closed"), key("a2", 16)]
    world.turn()
    assert len(world.targets["facility"].alerts) == 2


def test_one_held_alert_is_sent_as_it_is():
    world = World(ROUTES)
    world.wait(12)
    world.wait(4)
    world.publish(event("a1", 16))
    world.turn()
    world.wait(8)
    world.turn()
    ((_, alert),) = world.targets["facility"].alerts
    assert alert.key == key("a1", 16)


def test_beyond_the_limit_a_digest_says_how_many_more_and_where_to_look(monkeypatch):
    monkeypatch.setattr(alert_queue, "MOST_HELD", 3)
    world = World(ROUTES)
    world.wait(16)
    # Many kinds, so that they are no storm.
    world.publish(*(event("a1", 2 * n) for n in range(8)))
    world.turn()
    assert len(AlertRecord(world.files, "facility").read().waiting) == 3
    world.wait(8)
    world.turn()
    ((_, digest),) = world.targets["facility"].alerts
    assert digest.title == "8 alerts were held"
    assert digest.event["more"] == 5
    assert "5 more: the page lists all episodes, the topic `episode` has each" in digest.text
    world.turn()
    assert len(world.targets["facility"].alerts) == 1


def test_the_bytes_of_a_digest_are_limited(monkeypatch):
    monkeypatch.setattr(alert_queue, "MOST_HELD_BYTES", 2_000)
    world = World(ROUTES)
    world.wait(16)
    world.publish(*(event("a1", 2 * n) for n in range(8)))
    world.turn()
    kept = AlertRecord(world.files, "facility").read()
    assert 1 <= len(kept.waiting) < 8
    assert sum(kept.more.values()) == 8 - len(kept.waiting)


def test_a_storm_at_night_is_told_in_the_morning_and_once():
    world = World(ROUTES)
    world.wait(16)
    world.publish(*(event(f"a{n}", 16) for n in range(12)))
    for _ in range(31):
        world.turn()
        world.wait(0.25)
    assert not world.targets["facility"].alerts
    world.publish(event("a1", 16, "closed"))
    world.wait(0.25)
    for _ in range(4):
        world.turn()
    ((at, alert),) = world.targets["facility"].alerts
    assert not is_quiet(at)
    assert (alert.event["meters"], alert.event["over"]) == (12, 1)


def test_a_held_alert_is_sent_even_if_its_route_was_removed_meanwhile():
    world = World(ROUTES)
    world.wait(16)
    world.publish(event("a1", 16))
    world.turn()
    world.routes = routes("targets: {facility: {sink: email, to: [facility@example.org]}}")
    world.publish(event("a1", 16, "closed"))
    world.turn()
    world.wait(8)
    world.turn()
    assert list(world.keys("facility")) == [key("a1", 16), key("a1", 16, "closed")]


def test_quiet_hours_are_those_of_the_meters_own_clock():
    world = World(ROUTES)
    world.wait(16)
    world.publish(event("a1", 16))
    world.turn()
    while not world.targets["facility"].alerts:
        world.wait(0.25)
        world.turn()
    at, _ = world.targets["facility"].alerts[0]
    assert not is_quiet(at)
    assert (at - START).total_seconds() == 24 * 3600
