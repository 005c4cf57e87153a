"""Sites, buildings and virtual meters: which meters are in the sum of each, and since when.

Belongs here: the groups as values, and the members of a sum over time. Not here: the file that
describes them (`groups_file`), adding up readings (adapters).

A sum has signs: a virtual meter such as the rest of a building is its main meter minus its
sub-meters. A meter that moves to another building is in the old one's sum until the day from which
it is in the new one's.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from usage_platform.core.time.needed_hours import Schedule


class GroupKind(StrEnum):
    """What a group is."""

    SITE = "site"
    BUILDING = "building"
    VIRTUAL = "virtual meter"


@dataclass(frozen=True)
class Member:
    """A meter in a sum.

    Attributes:
        meter: The meter's name.
        sign: 1 if it is added, -1 if it is subtracted.
        since: The first local day; None without a beginning.
        until: The first local day on which it is no member any more; None without an end.
    """

    meter: str
    sign: int
    since: date | None = None
    until: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether the meter is a member on a local day."""
        return (self.since or date.min) <= day < (self.until or date.max)

    def within(self, since: date | None, until: date | None, sign: int) -> "Member":
        """The part of this membership from `since` to `until`, its sign times `sign`."""
        return Member(
            self.meter,
            self.sign * sign,
            max(filter(None, (self.since, since)), default=None),
            min(filter(None, (self.until, until)), default=None),
        )


@dataclass(frozen=True)
class Part:
    """One of the things that a group is made of: a meter, a virtual meter or a building.

    Attributes:
        name: Its name.
        sign: 1 if it is added to the group's sum, -1 if it is subtracted.
        members: The meters of its own sum.
    """

    name: str
    sign: int
    members: tuple[Member, ...]

    def is_there(self, name: str, day: date) -> bool:
        """Whether it is the meter of a name, and in the group on a local day."""
        return self.name == name and any(one.holds_on(day) for one in self.members)


@dataclass(frozen=True)
class Group:
    """A site, a building or a virtual meter.

    Attributes:
        name: Its name; no other group has it.
        kind: What it is.
        use: What a building is used for, such as office; empty if it is not given.
        area_m2: Floor area; of a site the sum of its buildings; None if it is not known.
        parent: The name of the site of a building; None for others.
        members: The meters of its sum; each at most once at any time.
        meters: The names of the meters that are shown in it, as the file lists them.
        parts: What it is made of: of a site its buildings, of others these meters.
        needed: When a building is needed; None if it is not given.
    """

    name: str
    kind: GroupKind
    use: str
    area_m2: float | None
    parent: str | None
    members: tuple[Member, ...]
    meters: tuple[str, ...]
    parts: tuple[Part, ...] = ()
    needed: Schedule | None = None


@dataclass(frozen=True)
class Groups:
    """All groups, a site before its buildings.

    Attributes:
        groups: The groups in the order of the file, virtual meters last.
        areas: Floor area by meter, m², where one is known.
    """

    groups: tuple[Group, ...] = ()
    areas: Mapping[str, float] | None = None

    def names_of(self, meter: str, day: date) -> frozenset[str]:
        """The names of the groups in whose sum a meter is added on a local day.

        A group is a meter too: it is in itself, a building in its site.
        """
        own = {name for one in self.groups if one.name == meter for name in (meter, one.parent)}
        return frozenset(filter(None, own)).union(
            group.name
            for group in self.groups
            for one in group.members
            if one.meter == meter and one.sign > 0 and one.holds_on(day)
        )

    def needed_of(self, meter: str, day: date) -> Schedule | None:
        """When the building of a meter is needed, that it is in on a local day; None if unknown.

        The building itself is a meter, and so is a virtual meter that it lists.
        """
        return next(
            (
                group.needed
                for group in self.groups
                if group.needed is not None
                and (group.name == meter or any(one.is_there(meter, day) for one in group.parts))
            ),
            None,
        )

    def area_of(self, meter: str) -> float | None:
        """The floor area that a meter supplies, m²; None if it is not known."""
        return (self.areas or {}).get(meter)


def net_members(members: Iterable[Member], group: str) -> tuple[Member, ...]:
    """The members of a sum with a meter that is added and subtracted at the same time left out.

    Args:
        members: The memberships of all parts of the sum; those of a meter may overlap.
        group: The name of the group, for the error.

    Returns:
        By meter and time; no two of a meter overlap.

    Raises:
        ValueError: In one line, if a meter is added or subtracted twice at the same time.
    """
    by_meter: dict[str, list[Member]] = defaultdict(list)
    for one in members:
        by_meter[one.meter].append(one)
    return tuple(
        member for name in sorted(by_meter) for member in _net_of_meter(by_meter[name], group)
    )


def _net_of_meter(members: list[Member], group: str) -> list[Member]:
    net: list[Member] = []
    starts = {one.since or date.min for one in members}
    changes = sorted(starts | {one.until for one in members if one.until is not None})
    ends = [*changes[1:], None]
    for start, end in zip(changes, ends, strict=True):
        sign = sum(one.sign for one in members if one.holds_on(start))
        if abs(sign) > 1:
            when = "" if start == date.min else f" from {start} on"
            raise ValueError(
                f"{group}: meter {members[0].meter!r} is in its sum twice{when}; name it once"
            )
        if sign and net and (net[-1].sign, net[-1].until) == (sign, start):
            net[-1] = replace(net[-1], until=end)
        elif sign:
            since = None if start == date.min else start
            net.append(Member(members[0].meter, sign, since, end))
    return net
