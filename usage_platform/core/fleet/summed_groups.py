"""Groups as meters: the zone, interval and sign of a group, and its members as instants.

Belongs here: what a sum is made of, and as which meter it is known. Not here: adding up readings
(`group_readings`), the file of groups (`groups_file`).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from usage_platform.core.fleet.groups import Group, Groups
from usage_platform.core.measurement import Sign
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.time.local_time import local_day_bounds

_SOME_DAY = datetime(2024, 1, 1, tzinfo=UTC)
"""Any: clock changes are of whole hours in all zones but one (Lord Howe)."""


@dataclass(frozen=True)
class SummedMember:
    """A meter in the sum of a group.

    Attributes:
        meter: The meter.
        sign: 1 if it is added, -1 if it is subtracted.
        since: The first instant, ns since 1970 UTC; None without a beginning.
        until: The end, exclusive; None without one.
    """

    meter: Meter
    sign: int
    since: int | None
    until: int | None


@dataclass(frozen=True)
class SummedGroup:
    """A group with readings of its own.

    Attributes:
        meter: The group as a meter.
        members: The meters of its sum; each at most once at any time. None of them is a group.
    """

    meter: Meter
    members: tuple[SummedMember, ...]


def summed_groups(
    groups: Groups, registry: MeterRegistry, before: Mapping[str, Meter]
) -> tuple[tuple[SummedGroup, ...], tuple[str, ...]]:
    """The groups that have a sum, and what is wrong with others.

    A group of one meter of the same name is that meter. A group without a meter has no sum.

    Args:
        groups: The groups.
        registry: Gives the members' zones, intervals and signs.
        before: The groups that have readings already, as meters. They keep their interval, as that
            of their hours in the tables, and stay net; their zone is that of their meters, whose
            description may have been corrected.

    Returns:
        The groups, in their order; a line for each one that can have no sum: its interval would
        change, or its meters have no grid in common.
    """
    found: list[SummedGroup] = []
    problems: list[str] = []
    for group in groups.groups:
        members = tuple(_members(group, registry))
        if not members or {one.meter.name for one in members} == {group.name}:
            continue
        volumes = [one.meter for one in members if not one.meter.is_power]
        if volumes:
            problems.append(
                f"group {group.name}: meter {volumes[0].name!r} is read in {volumes[0].unit}, and "
                "groups add up kW; leave it out of groups.yaml"
            )
            continue
        meter = _meter(group.name, members)
        zones = {_shift(one.meter, meter.interval_minutes): one.meter.timezone for one in members}
        if len(zones) > 1:
            problems.append(
                f"group {group.name}: intervals of {meter.interval_minutes} min begin at other "
                f"minutes in {' and '.join(sorted(zones.values()))}; name meters of one of them"
            )
            continue
        known = before.get(group.name)
        if known is not None and known.interval_minutes != meter.interval_minutes:
            problems.append(
                f"group {group.name}: its readings are of {known.interval_minutes} min, and the "
                f"meters of its sum have {meter.interval_minutes} min in common now; no more are "
                "computed: give the group another name"
            )
            continue
        if known is not None and known.is_net:
            meter = replace(meter, sign=Sign.NET)
        found.append(SummedGroup(meter, members))
    return tuple(found), tuple(problems)


def _members(group: Group, registry: MeterRegistry) -> Iterator[SummedMember]:
    for one in group.members:
        meter = registry.get(one.meter)
        since, until = (
            None if day is None else local_day_bounds(day, meter.timezone)[0].value
            for day in (one.since, one.until)
        )
        yield SummedMember(meter, one.sign, since, until)


def _meter(name: str, members: tuple[SummedMember, ...]) -> Meter:
    """The meter: the shortest interval that those of all members divide, the first one's zone."""
    first = min(members, key=lambda one: one.meter.name).meter
    minutes = math.lcm(*(one.meter.interval_minutes for one in members))
    is_net = any(one.sign < 0 or one.meter.is_net for one in members)
    return Meter(name, first.timezone, minutes, Sign.NET if is_net else Sign.CONSUMPTION)


def _shift(meter: Meter, minutes: int) -> int:
    """Where in an interval of the UTC clock those of the meter's clock begin, minutes."""
    offset = _SOME_DAY.astimezone(meter.zone).utcoffset() or timedelta(0)
    return int(offset.total_seconds()) // 60 % minutes
