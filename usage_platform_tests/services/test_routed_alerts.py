"""Alerts by routes: each reaches whom it must, held or not, whatever kills the platform when."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.adapters.stores.alert_record import AlertRecord
from usage_platform.adapters.stores.alert_routes import routes_in
from usage_platform.core.alerts import alert_queue
from usage_platform.core.alerts.alert import AlertState
from usage_platform.core.meters import Meter
from usage_platform.services import route_alerts
from usage_platform_tests.services.routed_world import START, ZONE, World, cost, event, key

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
METERS = ("a1", "a2", "b1", "b2")
LIVES = (
    ("opened",),
    ("opened", "updated", "closed"),
    ("closed",),
    ("opened", "withdrawn"),
    ("opened", "closed", "withdrawn"),
)


def routes(text):
    return routes_in(text, "alerts.yaml")


def is_quiet(at):
    hour = at.astimezone(Meter("m", ZONE).zone).hour
    return hour >= 22 or hour < 7


@st.composite
def plays(draw):
    """Messages on episodes of some meters in the order of their times, waits, turns, kills."""
    steps = []
    for number in range(draw(st.integers(1, 8))):
        meter = draw(st.sampled_from(METERS))
        severity = draw(st.sampled_from(["low", "medium", "high"]))
        for status in draw(st.sampled_from(LIVES)):
            # Two hours apart, so that they are no storm.
            steps.append(("publish", meter, 2 * number, status, severity))
            if draw(st.booleans()):
                steps.append(("wait", draw(st.sampled_from([0.1, 3, 9, 26]))))
            kills = draw(st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=3))
            steps += [("turn", at, after) for at, after in kills]
            if draw(st.booleans()):
                steps.append(("turn", None, False))
        if draw(st.integers(0, 3)) == 0:
            steps.append(("acknowledge", meter, 2 * number))
    return steps


def played(steps):
    """The world after a play, and the acknowledged episodes that no turn had seen before."""
    world, seen, early = World(ROUTES), set(), set()
    for what, *details in steps:
        match what:
            case "publish":
                meter, hour, status, severity = details
                world.publish(event(meter, hour, status, severity=severity))
            case "wait":
                world.wait(*details)
            case "turn":
                seen |= {(one["meter"], one["episode"]) for one in world.topic}
                world.turn(*details)
            case _:
                one = event(*details)
                episode = one["meter"], one["episode"]
                world.acknowledged.add(episode)
                early |= {episode} - seen
    world.settle()
    return world, early


def expected(steps):
    """What each target must get and may get, from the messages alone.

    Returns:
        For each target the keys that it must get, and those that it gets if nobody acknowledges
        the episode in time.
    """
    must, may = defaultdict(set), defaultdict(set)
    for meter, hour, severity in {
        (step[1], step[2], step[4]) for step in steps if step[0] == "publish"
    }:
        life = [s[3] for s in steps if s[0] == "publish" and s[1:3] == (meter, hour)]
        keys = {key(meter, hour, state) for state in life if state != "updated"}
        if meter[0] == "a":
            first = ("facility",) if severity != "low" else ()
            later = ("oncall", "manager") if first else ()
        elif severity == "high":
            first, later = ("oncall", "manager"), ()
        else:
            first, later = ("slack",) if severity == "medium" else (), ()
        for name in first:
            must[name] |= keys
        for name in later:
            may[name] |= keys
    return must, may


@settings(max_examples=100, deadline=None)
@given(plays())
def test_every_alert_reaches_its_targets_and_is_repeated_after_kills_only(steps):
    world, early = played(steps)
    must, may = expected(steps)
    for name in world.receivers:
        got = world.keys(name)
        assert must[name] <= set(got) <= must[name] | may[name]
        assert max(got.values(), default=0) <= 1 + world.kills
    for name in ("oncall", "manager"):
        episodes = {one.rpartition(":")[0] for one in set(world.keys(name)) & may[name]}
        assert not {f"{meter}/{episode}" for meter, episode in early} & episodes
        withdrawn = {one.rpartition(":")[0] for one in may[name] if one.endswith(":withdrawn")}
        waited = {one.rpartition(":")[0] for one in may[name]} - withdrawn
        known = {f"{meter}/{episode}" for meter, episode in world.acknowledged}
        # It may be told as over at once, where it was over by then.
        assert waited - known <= episodes
    assert not world.letters


@settings(max_examples=40, deadline=None)
@given(
    st.integers(11, 14),
    st.lists(st.tuples(st.integers(1, 12), st.booleans(), st.booleans()), max_size=6),
    st.integers(0, 23),
)
def test_a_storm_of_any_hour_is_told_whole_and_its_end_too(members, kills, hour):
    world = World(ROUTES)
    world.wait(hour)
    meters = [f"a{number}" for number in range(members)]
    world.publish(*(event(meter, hour) for meter in meters))
    for at, is_after, waits in kills:
        world.turn(at, is_after)
        world.wait(2.5 if waits else 0)
    world.publish(*(event(meter, hour, "closed") for meter in meters))
    for at, is_after, _ in kills:
        world.turn(at, is_after)
    world.settle()
    alerts = [alert for _, alert in world.targets["facility"].alerts]
    last = [alert.event for alert in alerts if alert.standing.storm][-1]
    assert (last["meters"], last["over"]) == (members, members)
    assert len(alerts) <= 4 * (1 + world.kills), "it is one message, sent when it changes"


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


def test_an_episode_that_gets_worse_goes_to_the_next_route_as_well_and_all_hear_of_its_end():
    world = World(ROUTES)
    world.publish(event("b1", 0, severity="medium"))
    world.turn()
    assert list(world.keys("slack")) == [key("b1", 0)]
    world.publish(event("b1", 0, "updated"), event("b1", 0, "closed"))
    world.turn()
    told = [key("b1", 0), key("b1", 0, "closed")]
    assert [list(world.keys(name)) for name in ("slack", "oncall", "manager")] == [told] * 3


def test_an_episode_is_taken_once_its_cost_is_as_high_as_the_route_asks_for():
    world = World(
        routes(
            "targets: {boss: {sink: email, to: [boss@example.org]}}\n"
            "routes: [{name: dear, min_cost: 50, targets: [boss]}]"
        )
    )
    world.publish(event("m", 0))
    world.turn()
    assert not world.targets["boss"].alerts
    assert list(world.keys("slack")) == [key("m", 0)], "an unknown cost is no high one"
    world.costs["m"] = cost("49.99")
    world.publish(event("m", 0, "updated"))
    world.turn()
    assert not world.targets["boss"].alerts
    world.costs["m"] = cost("50")
    world.publish(event("m", 0, "updated"))
    world.turn()
    assert list(world.keys("boss")) == [key("m", 0)]


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


@pytest.mark.parametrize("hour", [0, 16])
def test_a_kill_at_each_step_of_a_turn_loses_nothing(hour):
    steps = 1
    while True:
        for is_after in (False, True):
            world = World(ROUTES)
            world.wait(hour)
            world.publish(event("a1", hour), event("b1", hour))
            killed = world.turn(steps, is_after) is None
            world.settle()
            for name in ("facility", "oncall", "manager"):
                counts = world.keys(name)
                assert set(counts) == {key("a1", hour), key("b1", hour)} - (
                    {key("b1", hour)} if name == "facility" else set()
                )
                assert max(counts.values()) <= 1 + killed
        if not killed:
            assert steps > 5
            return
        steps += 1


def test_messages_that_are_routed_again_bring_no_withdrawn_episode_back():
    for step in range(1, 9):
        world = World(ROUTES)
        world.publish(event("b1", 0), event("b1", 0, "withdrawn"))
        world.turn(step)
        world.settle()
        assert set(world.keys("oncall")) == {key("b1", 0), key("b1", 0, "withdrawn")}


def test_a_message_that_is_routed_again_goes_where_it_went_whatever_the_time_is_by_then():
    by_day = routes(
        """
targets:
  first: {sink: email, to: [first@example.org]}
  second: {sink: slack}
routes:
  - {name: always, meters: [a], targets: [first]}
  - {name: day, hours: 06:00-12:00, targets: [second]}
  - {name: night, targets: [first]}
"""
    )
    for step in range(1, 9):
        world = World(by_day, sinks=())
        world.publish(event("a", 0), event("b", 0))
        world.turn(step)
        world.wait(12)
        world.settle()
        assert key("b", 0) in {*world.keys("first"), *world.keys("second")}


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
