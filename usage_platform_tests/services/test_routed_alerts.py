"""Alerts by routes: each reaches whom it must, held or not, whatever kills the platform when."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform_tests.services.routed_world import ROUTES, World, cost, event, key, routes

METERS = ("a1", "a2", "b1", "b2")
LIVES = (
    ("opened",),
    ("opened", "updated", "closed"),
    ("closed",),
    ("opened", "withdrawn"),
    ("opened", "closed", "withdrawn"),
)


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
