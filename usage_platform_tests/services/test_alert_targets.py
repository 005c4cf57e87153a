"""Targets that take nothing, that were removed, and those that an episode escalates to."""

from usage_platform.adapters.stores.alert_record import AlertRecord
from usage_platform.core.alerts import alert_queue
from usage_platform.services import route_alerts
from usage_platform_tests.services.routed_world import ROUTES, World, event, key, routes


def test_a_target_that_takes_nothing_stops_no_other_and_ends_in_dead_letters():
    world = World(ROUTES)
    world.targets["oncall"].fails = True
    world.publish(event("b1", 0), event("b1", 2))
    for _ in range(60):
        done = world.turn()
        world.wait(1 / 60)
    assert list(world.keys("manager")) == [key("b1", 0), key("b1", 2)]
    assert done["oncall"].sent == 0
    assert [(name, alert, tries) for name, alert, _, tries in world.letters] == [
        ("oncall", key("b1", 0), 8),
        ("oncall", key("b1", 2), 8),
    ]


def test_what_waits_for_a_target_that_takes_nothing_is_limited(monkeypatch):
    monkeypatch.setattr(alert_queue, "MOST_DUE", 2)
    world = World(ROUTES)
    world.targets["oncall"].fails = True
    world.publish(event("b1", 0))
    world.turn()
    world.publish(*(event("b1", 2 * n) for n in range(1, 6)))
    for _ in range(3):
        world.turn()
    assert len(AlertRecord(world.files, "oncall").read().waiting) == 2
    world.targets["oncall"].fails = False
    world.wait(2)
    world.turn()
    *_, (_, digest) = world.targets["oncall"].alerts
    assert digest.event["more"] == 4
    assert digest.title == "4 alerts could not be sent in time"
    assert "They were due by Tue 5 Mar 2024, 08:00 EST." in digest.text
    assert len(world.keys("manager")) == 6


def test_a_target_that_is_behind_but_takes_alerts_gets_each_of_them(monkeypatch):
    monkeypatch.setattr(alert_queue, "MOST_DUE", 2)
    monkeypatch.setattr(route_alerts, "MOST_BEHIND", 2)
    world = World(ROUTES)
    world.publish(*(event("b1", 2 * n) for n in range(7)))
    world.turn()
    assert world.committed < 7, "the topic is the queue"
    for _ in range(5):
        world.turn()
    assert list(world.keys("oncall")) == [key("b1", 2 * n) for n in range(7)]


def test_an_acknowledged_episode_goes_no_further_and_another_one_does_with_a_remark():
    world = World(ROUTES)
    world.publish(event("a1", 0), event("a2", 0))
    world.turn()
    world.acknowledged.add(("a1", event("a1", 0)["episode"]))
    world.wait(3.9)
    world.turn()
    assert not world.targets["oncall"].alerts
    world.wait(0.2)
    world.turn()
    ((_, alert),) = world.targets["oncall"].alerts
    assert alert.key == key("a2", 0)
    assert alert.text.endswith("Nobody has acknowledged it for 4 h (route quiet).")
    world.publish(event("a2", 0, "closed"))
    world.turn()
    assert list(world.keys("oncall")) == [key("a2", 0), key("a2", 0, "closed")]


def test_an_escalation_to_a_removed_target_goes_to_all_sinks():
    world = World(ROUTES)
    world.publish(event("a1", 0))
    world.turn()
    world.routes, world.targets = routes(""), {}
    world.wait(4)
    world.turn()
    assert list(world.keys("slack")) == [key("a1", 0)]


def test_hours_of_an_escalation_count_from_the_end_of_the_quiet_hours():
    world = World(ROUTES)
    world.wait(16)  # 23:00 in New York.
    world.publish(event("a1", 16))
    for hours in (0, 5, 3.1, 3.8):
        world.wait(hours)
        world.turn()
    assert list(world.keys("facility")) == [key("a1", 16)]
    assert not world.targets["oncall"].alerts
    world.wait(0.2)
    world.turn()
    assert list(world.keys("oncall")) == [key("a1", 16)]


def test_what_waits_for_a_removed_target_goes_to_all_sinks():
    world = World(ROUTES)
    world.wait(16)
    world.publish(event("a1", 16), event("a2", 18))
    world.turn()
    world.routes, world.targets = routes(""), {}
    world.turn()
    world.turn()
    ((_, digest),) = world.sinks["slack"].alerts
    assert [one["id"] for one in digest.event["alerts"]] == [key("a1", 16), key("a2", 18)]


def test_a_storm_that_a_removed_target_was_to_hear_of_goes_to_all_sinks():
    world = World(ROUTES)
    world.wait(16)
    world.publish(*(event(f"a{n}", 16) for n in range(12)))
    world.turn()
    world.routes, world.targets = routes(""), {}
    world.turn()
    world.turn()
    ((_, alert),) = world.sinks["slack"].alerts
    assert alert.title == "12 meters with spike since 23:00 (high)"
