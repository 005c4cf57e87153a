"""Readings of groups, compared with sums that are written down reading by reading."""

import math
from datetime import date
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.fleet.group_readings import (
    group_readings,
    last_interval,
    touched_intervals,
)
from usage_platform.core.fleet.groups import Group, GroupKind, Groups, Member
from usage_platform.core.fleet.summed_groups import summed_groups
from usage_platform.core.measurement import ReadingUnit, Sign
from usage_platform.core.meters import Meter, MeterRegistry

ZONES = ("America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe")
# Both clock changes of New York are midnights away; a day of each.
BEGINS = ("2024-03-10T00:00", "2024-11-03T00:00", "2024-06-01T00:00")


def group(name, *members):
    return Group(name, GroupKind.VIRTUAL, "", None, None, members, ())


def readings_of(registry, names, begin, hours, seed):
    """Readings of meters on the grid of their own local time."""
    random = np.random.default_rng(seed)
    rows = []
    for name in names:
        meter = registry.get(name)
        first = pd.Timestamp(begin, tz=meter.timezone)
        times = pd.date_range(
            first, periods=hours * meter.readings_per_hour, freq=f"{meter.interval_minutes}min"
        )
        values = random.normal(0, 1e6, len(times)) ** 3
        rows += zip([name] * len(times), times.tz_convert("UTC"), values, strict=True)
    return pd.DataFrame(rows, columns=["meter", "event_time", "value"])


def oracle(group, rows, registry):
    """The sum of each interval, one at a time, with exact addition."""
    minutes = math.lcm(*(registry.get(one.meter).interval_minutes for one in group.members))
    zone = registry.get(min(one.meter for one in group.members)).timezone
    length = pd.Timedelta(minutes=minutes)
    known = {(m, t): v for m, t, v in rows.itertuples(index=False)}
    found = {}
    for start in {
        t - pd.Timedelta(t.tz_convert(zone).tz_localize(None).value % length.value)
        for t in rows["event_time"]
    }:
        due, terms = 0, []
        for one in group.members:
            meter = registry.get(one.meter)
            day = start.tz_convert(meter.timezone).date()
            if (one.since and day < one.since) or (one.until and day >= one.until):
                continue
            due += 1
            step = pd.Timedelta(minutes=meter.interval_minutes)
            own = [known.get((one.meter, start + n * step)) for n in range(length // step)]
            if None not in own:
                terms.append((one.sign, [v for v in own if v is not None]))
        if due and len(terms) == due:
            found[start] = math.fsum(sign * math.fsum(own) / len(own) for sign, own in terms)
    return found


def published(groups, rows, registry):
    summed, problems = summed_groups(Groups(groups), registry, {})
    assert not problems
    sums = group_readings(summed, rows, touched_intervals(summed, rows))
    return {(m, t): v for m, t, v in sums.readings.itertuples(index=False)}


@st.composite
def worlds(draw):
    zone = draw(st.sampled_from(ZONES[:3]))
    names = ["a", "b", "c", "d"]
    minutes = [draw(st.sampled_from([5, 10, 15, 30, 60])) for _ in names]
    registry = MeterRegistry(
        known={n: Meter(n, zone, m) for n, m in zip(names, minutes, strict=True)}
    )
    begin = draw(st.sampled_from(BEGINS))
    day = date.fromisoformat(begin[:10])
    dates = st.sampled_from([None, day, date.fromordinal(day.toordinal() + 1)])
    groups = []
    for at in range(draw(st.integers(1, 3))):
        chosen = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
        members = [Member(n, draw(st.sampled_from([1, -1])), draw(dates), None) for n in chosen]
        groups.append(group(f"g{at}", *members))
    rows = readings_of(registry, names, begin, 30, draw(st.integers(0, 99)))
    kept = draw(st.sets(st.integers(0, len(rows) - 1), max_size=8))
    return groups, rows.drop(index=sorted(kept)), registry


@given(worlds())
@settings(max_examples=25)
def test_sums_are_those_of_the_readings_and_of_whole_intervals_alone(world):
    groups, rows, registry = world
    expected = {
        (one.name, start): kw for one in groups for start, kw in oracle(one, rows, registry).items()
    }
    found = published(tuple(groups), rows, registry)
    assert found.keys() == expected.keys()
    scale = rows["value"].abs().max()
    for key, kw in expected.items():
        assert found[key] == pytest.approx(kw, rel=1e-9, abs=1e-9 * scale)


@given(worlds(), st.integers(0, 999).map(Random))
@settings(max_examples=12)
def test_any_order_of_arrival_with_repeats_and_corrections_ends_with_the_same_bits(world, random):
    groups, rows, registry = world
    summed, _ = summed_groups(Groups(tuple(groups)), registry, {})
    events = [*rows.itertuples(index=False)]
    wrong = [one._replace(value=one.value + 1.0) for one in random.sample(events, 5)]
    rest = [*events, *random.sample(events, 5)]
    random.shuffle(rest)
    sent, table, told = [*wrong, *rest], {}, {}
    # What is last of a reading is the correct one, as each wrong one comes before all others.
    while sent:
        batch, sent = sent[:97], sent[97:]
        table |= {(m, t): v for m, t, v in batch}
        now = pd.DataFrame(
            [(m, t, v) for (m, t), v in table.items()], columns=["meter", "event_time", "value"]
        )
        touched = touched_intervals(summed, pd.DataFrame(batch, columns=now.columns))
        sums = group_readings(summed, now, touched).readings
        told |= {(m, t): v for m, t, v in sums.itertuples(index=False)}
    assert told == published(tuple(groups), rows, registry)


def test_an_hour_that_a_clock_change_makes_longer_is_left_out_and_never_wrong():
    registry = MeterRegistry(known={n: Meter(n, ZONES[3], m) for n, m in (("a", 60), ("b", 15))})
    times = pd.date_range("2024-04-06T12:00Z", periods=200, freq="15min")
    quarters = pd.DataFrame({"meter": "b", "event_time": times, "value": 1.0})
    is_hour = times.tz_convert(ZONES[3]).minute == 0
    hours = pd.DataFrame({"meter": "a", "event_time": times[is_hour], "value": 2.0})
    rows = pd.concat([quarters, hours])
    sums = published((group("g", Member("a", 1), Member("b", 1)),), rows, registry)
    assert {ts for _, ts in sums} == set(times[is_hour][:-1])
    assert set(sums.values()) == {3.0}


def test_a_group_keeps_its_interval_and_says_so():
    registry = MeterRegistry(known={"a": Meter("a", "UTC", 15), "b": Meter("b", "UTC", 60)})
    groups = Groups((group("g", Member("a", 1), Member("b", -1)), group("a", Member("a", 1))))
    [found], problems = summed_groups(groups, registry, {})
    assert (found.meter.interval_minutes, found.meter.is_net, problems) == (60, True, ())
    before = {"g": Meter("g", "UTC", 15)}
    none, [line] = summed_groups(groups, registry, before)
    assert not none
    assert line.startswith("group g: its readings are of 15 min")


def test_meters_whose_hours_begin_at_other_minutes_have_no_sum_and_it_says_so():
    zones = {"a": "Asia/Kathmandu", "b": "Asia/Kolkata"}
    groups = Groups((group("g", Member("a", 1), Member("b", 1)),))
    registry = MeterRegistry(known={n: Meter(n, zone, 60) for n, zone in zones.items()})
    none, [line] = summed_groups(groups, registry, {})
    assert not none
    assert line.startswith("group g: intervals of 60 min begin at other minutes in Asia/Kathmandu")
    registry = MeterRegistry(known={n: Meter(n, zone, 15) for n, zone in zones.items()})
    assert summed_groups(groups, registry, {})[1] == ()


def test_after_the_last_readings_of_its_meters_a_group_has_no_sum():
    registry = MeterRegistry(known={"a": Meter("a", ZONES[2], 15), "b": Meter("b", ZONES[2], 60)})
    rows = readings_of(registry, ["a", "b"], BEGINS[0], 30, 1)
    # The quarter-hour meter ends within an hour.
    rows = rows[(rows["meter"] == "b") | (rows["event_time"] < rows["event_time"].iloc[70])]
    groups = (group("g", Member("a", 1), Member("b", -1)),)
    last = max(ts for _, ts in published(groups, rows, registry))
    [summed], _ = summed_groups(Groups(groups), registry, {})
    ends = {str(name): at.value for name, at in rows.groupby("meter")["event_time"].max().items()}
    assert last_interval(summed, ends) == last.value
    assert last_interval(summed, {"a": ends["a"]}) is None


def test_meters_that_were_in_a_group_or_will_be_do_not_end_its_sums():
    registry = MeterRegistry(known={name: Meter(name, "UTC", 60) for name in "abc"})
    change, later = date(2024, 3, 1), date(2025, 1, 1)
    members = (
        Member("a", 1, until=change),
        Member("b", 1, since=change),
        Member("c", 1, since=later),
    )
    [summed], _ = summed_groups(Groups((group("g", *members),)), registry, {})
    lasts = {"a": "2024-02-29T23:00Z", "b": "2024-12-01T00:00Z", "c": "2024-11-01T00:00Z"}
    ends = {name: pd.Timestamp(last).value for name, last in lasts.items()}
    assert last_interval(summed, ends) == ends["b"]
    assert last_interval(summed, {"a": ends["a"], "c": ends["c"]}) is None


def test_the_zone_of_a_group_is_that_of_its_meters_after_a_correction():
    registry = MeterRegistry(known={"a": Meter("a", "Asia/Kolkata", 60)})
    before = {"g": Meter("g", "America/New_York", 60, Sign.NET)}
    [found], problems = summed_groups(Groups((group("g", Member("a", 1)),)), registry, before)
    assert (found.meter.timezone, found.meter.is_net, problems) == ("Asia/Kolkata", True, ())


def test_a_meter_of_a_volume_is_in_no_sum_and_it_says_so():
    water = Meter("b", "UTC", 60, unit=ReadingUnit.M3_H)
    registry = MeterRegistry(known={"a": Meter("a", "UTC", 60), "b": water})
    groups = Groups((group("g", Member("a", 1), Member("b", 1)), group("h", Member("a", 1))))
    [found], [line] = summed_groups(groups, registry, {})
    assert found.meter.name == "h"
    assert line.startswith("group g: meter 'b' is read in m3/h")
