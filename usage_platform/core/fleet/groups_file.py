"""The content of the file `groups.yaml`: to groups, or one line that says what is wrong.

Belongs here: the form of the file and what must hold in it. Not here: what the groups mean
(`groups`), reading YAML and where the file is (adapters).
"""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from usage_platform.core.fleet.group_tree import ListedBuilding, ListedMeter, tree_of
from usage_platform.core.fleet.groups import Groups
from usage_platform.core.fleet.virtual_meters import members_by_virtual_meter
from usage_platform.core.measurement import ReadingUnit
from usage_platform.core.meters import is_meter_name
from usage_platform.core.tariffs.times import Hours
from usage_platform.core.time.needed_hours import NeededHours, Schedule

_FORM = ConfigDict(extra="forbid", strict=True)


def _name(value: object) -> object:
    if isinstance(value, str) and is_meter_name(value):
        return value
    raise ValueError(f"expected a name (in quotes if it looks like a number), got {value!r}")


Name = Annotated[str, BeforeValidator(_name)]
Area = Annotated[float, Field(gt=0, lt=1e9)]


class MeterEntry(BaseModel):
    """A meter, or a virtual one, of a building."""

    model_config = _FORM

    meter: Name
    since: date | None = Field(None, alias="from")
    until: date | None = None
    area_m2: Area | None = None


def _entry(value: object) -> object:
    return {"meter": value} if isinstance(value, str | int | float | None) else value


def _of_one_day(hours: tuple[int, int]) -> tuple[int, int]:
    if hours[1] < hours[0]:
        raise ValueError("expected an end on the same day, such as 08:00-18:30")
    return hours


DayHours = Annotated[Hours, AfterValidator(_of_one_day)]


class NeededEntry(BaseModel):
    """When a building is needed; on a kind of day that is left out it is closed."""

    model_config = _FORM

    weekdays: DayHours | None = None
    saturdays: DayHours | None = None
    sundays: DayHours | None = None

    @model_validator(mode="after")
    def _is_needed_at_all(self) -> Self:
        if not any(self.schedule):
            raise ValueError("expected hours of weekdays, saturdays or sundays; else leave it out")
        return self

    @property
    def schedule(self) -> Schedule:
        """The same as findings take it."""
        return _needed(self.weekdays), _needed(self.saturdays), _needed(self.sundays)


def _needed(hours: tuple[int, int] | None) -> NeededHours | None:
    return None if hours is None else NeededHours(*hours)


class BuildingEntry(BaseModel):
    """A building of a site."""

    model_config = _FORM

    name: Name
    kind: str = ""
    area_m2: Area | None = None
    needed: NeededEntry | None = None
    meters: list[Annotated[MeterEntry, BeforeValidator(_entry)]] = Field(min_length=1)


class SiteEntry(BaseModel):
    """A site with its buildings."""

    model_config = _FORM

    name: Name
    buildings: list[BuildingEntry] = Field(min_length=1)


class VirtualEntry(BaseModel):
    """A virtual meter: a signed sum of meters and of other virtual meters."""

    model_config = _FORM

    name: Name
    plus: list[Name] = Field(min_length=1)
    minus: list[Name] = Field(default_factory=list[str])


class GroupsFile(BaseModel):
    """The whole file."""

    model_config = _FORM

    sites: list[SiteEntry] = Field(default_factory=list[SiteEntry])
    virtual: list[VirtualEntry] = Field(default_factory=list[VirtualEntry])


def check_units(groups: Groups, units: Mapping[str, ReadingUnit]) -> None:
    """Refuse a sum of meters that have other units than kW: groups are sums of energy.

    Args:
        groups: The groups.
        units: By meter; kW for those that are not there.

    Raises:
        ValueError: In one line, with the group and the meter.
    """
    for group in groups.groups:
        for name in group.meters + tuple(member.meter for member in group.members):
            unit = units.get(name, ReadingUnit.KW)
            if unit is not ReadingUnit.KW:
                raise ValueError(
                    f"{group.name}: meter {name!r} is read in {unit}, and groups add up kWh; leave "
                    "it out, or describe it with a factor (kWh of one m3 or l)"
                )


def parse_groups(content: object, meters: Collection[str]) -> Groups:
    """The groups that a file describes.

    Args:
        content: The file's content as plain values; None if it is empty.
        meters: The names of all known meters.

    Raises:
        ValueError: In one line: a field that is missing, unknown or of the wrong type, an area that
            is not above 0, a name given twice, an unknown meter, a meter twice in one sum, virtual
            meters that need each other.
    """
    found = _checked({} if content is None else content)
    _check_names(found, meters)
    sums = {one.name: (one.plus, one.minus) for one in found.virtual}
    virtual = members_by_virtual_meter(sums)
    sites = [(site.name, [_building(one) for one in site.buildings]) for site in found.sites]
    return tree_of(sites, virtual, sums)


def _building(entry: BuildingEntry) -> ListedBuilding:
    meters = tuple(
        ListedMeter(one.meter, one.since, one.until, one.area_m2) for one in entry.meters
    )
    needed = None if entry.needed is None else entry.needed.schedule
    return ListedBuilding(entry.name, entry.kind, entry.area_m2, meters, needed)


def _checked(content: object) -> GroupsFile:
    try:
        return GroupsFile.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(str(part) for part in first["loc"]) or "the file"
        reason = first["msg"].removeprefix("Value error, ").splitlines()[0]
        raise ValueError(f"{where}: {reason}") from None


def _check_names(found: GroupsFile, meters: Collection[str]) -> None:
    buildings = [one for site in found.sites for one in site.buildings]
    names = [one.name for one in (*found.sites, *buildings, *found.virtual)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"{twice[0]!r} is the name of two groups; give each a name of its own")
    virtual = {one.name for one in found.virtual}
    # A building with the one meter of its name is that meter.
    same = {one.name for one in buildings if {entry.meter for entry in one.meters} == {one.name}}
    real = (set(names) - same) & set(meters)
    if real:
        name = min(real)
        kind = "virtual meter" if name in virtual else "group"
        raise ValueError(f"{kind} {name!r}: a meter has this name; choose another")
    # One that is there no more may have had its last reading long ago.
    used = [
        (one.name, entry.meter) for one in buildings for entry in one.meters if entry.until is None
    ]
    used += [(one.name, part) for one in found.virtual for part in (*one.plus, *one.minus)]
    for group, meter in used:
        if meter not in virtual and meter not in meters:
            raise ValueError(
                f"{group}: meter {meter!r} is unknown; expected a meter with readings in the last "
                "30 days, one that a source describes, or a virtual meter of this file"
            )
