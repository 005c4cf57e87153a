"""The tree of sites and buildings, each with the meters of its sum.

Belongs here: from the entries of the file to groups: when a meter is in which building, what is in
a site's sum, which area a meter supplies. Not here: the form of the file (`groups_file`).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from usage_platform.core.fleet.groups import Group, GroupKind, Groups, Member, Part, net_members
from usage_platform.core.fleet.virtual_meters import Sums
from usage_platform.core.time.needed_hours import Schedule


@dataclass(frozen=True)
class ListedMeter:
    """A meter, or a virtual one, as a building lists it.

    Attributes:
        name: Its name.
        since: The first local day on which it is there; None without a beginning.
        until: The first local day on which it is there no more; None while it is, or until it is
            listed in another building.
        area_m2: The floor area that it supplies; None if it is not given.
    """

    name: str
    since: date | None
    until: date | None
    area_m2: float | None


@dataclass(frozen=True)
class ListedBuilding:
    """A building as a site lists it.

    Attributes:
        name: Its name.
        use: What it is used for; empty if it is not given.
        area_m2: Floor area; None if it is not given.
        meters: Its meters.
        needed: When it is needed; None if it is not given.
    """

    name: str
    use: str
    area_m2: float | None
    meters: tuple[ListedMeter, ...]
    needed: Schedule | None = None


Sites = Sequence[tuple[str, Sequence[ListedBuilding]]]
"""The names of sites with their buildings."""


def tree_of(sites: Sites, virtual: Mapping[str, tuple[Member, ...]], sums: Sums) -> Groups:
    """All groups.

    Args:
        sites: The sites.
        virtual: The members of each virtual meter.
        sums: What each virtual meter is made of, as it is shown.

    Raises:
        ValueError: In one line, if a meter would be in a sum twice.
    """
    until = _ends(sites)
    groups: list[Group] = []
    areas: dict[str, float] = {}
    for name, buildings in sites:
        made = [_building(one, name, virtual, until) for one in buildings]
        members = [member for one in made for member in one.members]
        known = [one.area_m2 for one in made if one.area_m2 is not None]
        area = sum(known) if len(known) == len(made) else None
        parts = tuple(Part(one.name, 1, one.members) for one in made)
        net = net_members(members, name)
        groups.append(Group(name, GroupKind.SITE, "", area, None, net, (), parts))
        groups += made
        for entry in buildings:
            areas |= _areas(entry, until)
    for name, members in virtual.items():
        parts = tuple(
            Part(part, sign, virtual.get(part, (Member(part, 1),)))
            for sign, side in zip((1, -1), sums[name], strict=True)
            for part in side
        )
        meters = tuple(part.name for part in parts)
        area = areas.get(name)
        groups.append(Group(name, GroupKind.VIRTUAL, "", area, None, members, meters, parts))
    return Groups(tuple(groups), areas)


def _building(
    entry: ListedBuilding,
    site: str,
    virtual: Mapping[str, tuple[Member, ...]],
    until: Mapping[tuple[str, str], date | None],
) -> Group:
    parts: list[Part] = []
    for meter in entry.meters:
        end = until[entry.name, meter.name]
        own = virtual.get(meter.name, (Member(meter.name, 1),))
        parts.append(Part(meter.name, 1, tuple(one.within(meter.since, end, 1) for one in own)))
    net = net_members([one for part in parts for one in part.members], entry.name)
    shown = tuple(meter.name for meter in entry.meters)
    kind = GroupKind.BUILDING
    return Group(
        *(entry.name, kind, entry.use, entry.area_m2, site, net, shown, tuple(parts)), entry.needed
    )


def _ends(sites: Sites) -> dict[tuple[str, str], date | None]:
    """By building and meter, the first day on which the meter is there no more."""
    places: dict[str, list[tuple[date, str, date | None]]] = defaultdict(list)
    for _, buildings in sites:
        for entry in buildings:
            for meter in entry.meters:
                places[meter.name].append((meter.since or date.min, entry.name, meter.until))
    ends: dict[tuple[str, str], date | None] = {}
    for meter, found in places.items():
        found.sort(key=lambda place: place[:2])
        following = [*found[1:], (None, "", None)]
        for (since, building, until), (moved, other, _) in zip(found, following, strict=True):
            if since == moved:
                raise ValueError(
                    f"{building}: meter {meter!r} is there twice"
                    if other == building
                    else f"{building}: meter {meter!r} is in {other!r} too; give the day from "
                    "which it is there (from: 2024-03-01)"
                )
            if (building, meter) in ends:
                raise ValueError(f"{building}: meter {meter!r} is there twice")
            if until is not None and until <= since:
                raise ValueError(
                    f"{building}: meter {meter!r} is there until {until}; expected a day after "
                    f"{since}, from which it is there"
                )
            if until is not None and moved is not None and until > moved:
                raise ValueError(
                    f"{building}: meter {meter!r} is there until {until}, and in {other!r} from "
                    f"{moved}; expected one day of both, or the second later"
                )
            ends[building, meter] = until or moved
    return ends


def _areas(entry: ListedBuilding, until: Mapping[tuple[str, str], date | None]) -> dict[str, float]:
    """The areas of a building's present meters: their own, or the building's if it has one."""
    present = [one for one in entry.meters if until[entry.name, one.name] is None]
    if len(present) == 1 and present[0].area_m2 is None and entry.area_m2 is not None:
        return {present[0].name: entry.area_m2}
    return {one.name: one.area_m2 for one in present if one.area_m2 is not None}
