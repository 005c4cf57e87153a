"""The file of groups: what it means, and the one line for what it cannot mean."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.adapters.stores.plain_yaml import plain_yaml
from usage_platform.core.fleet import groups_file
from usage_platform.core.fleet.groups import Group, GroupKind, Groups, Member
from usage_platform.core.time.needed_hours import NeededHours

METERS = {"main", "kitchen", "pump", "annex", "3rd"}
FILE = """
sites:
  - name: North
    buildings:
      - name: Library
        kind: library
        area_m2: 5200
        meters: [main, {meter: annex, from: 2024-03-01, area_m2: 300}]
      - name: Depot
        area_m2: 800
        meters: [annex]
virtual:
  - name: rest
    plus: [main]
    minus: [kitchen, pumps]
  - name: pumps
    plus: [pump]
"""


def parse_groups(text: str, meters: set[str]) -> Groups:
    return groups_file.parse_groups(plain_yaml(text), meters)


def by_name(groups: Groups) -> dict[str, Group]:
    return {group.name: group for group in groups.groups}


def test_a_site_has_the_meters_and_the_area_of_its_buildings():
    groups = by_name(parse_groups(FILE, METERS))
    assert list(groups) == ["North", "Library", "Depot", "rest", "pumps"]
    north = groups["North"]
    assert (north.kind, north.area_m2, north.parent) == (GroupKind.SITE, 6000, None)
    assert north.members == (Member("annex", 1), Member("main", 1))
    assert (groups["Library"].use, groups["Library"].parent) == ("library", "North")


def test_a_meter_that_moves_is_in_one_building_at_a_time():
    groups = by_name(parse_groups(FILE, METERS))
    moved = date(2024, 3, 1)
    assert Member("annex", 1, None, moved) in groups["Depot"].members
    assert Member("annex", 1, moved) in groups["Library"].members


def test_a_meter_is_needed_when_its_building_of_the_day_is():
    text = FILE.replace("kind: library", "needed: {weekdays: 08:00-21:30, sundays: 10:00-24:00}")
    groups = parse_groups(text.replace("[main, {", "[main, pumps, {"), METERS)
    needed = (NeededHours(480, 1290), None, NeededHours(600, 1440))
    before, after = date(2024, 2, 29), date(2024, 3, 1)
    for name in ("Library", "main", "pumps"):
        assert groups.needed_of(name, before) == groups.needed_of(name, after) == needed
    # It moves there from a building of which nothing is known.
    assert (groups.needed_of("annex", before), groups.needed_of("annex", after)) == (None, needed)
    for name in ("North", "Depot", "kitchen", "nobody"):
        assert groups.needed_of(name, after) is None


def test_a_meter_out_of_use_is_in_the_sums_of_before_and_need_not_be_known_any_more():
    text = FILE.replace("meters: [main,", "meters: [main, {meter: old, until: 2024-06-01},")
    groups = by_name(parse_groups(text, METERS))
    was_there = Member("old", 1, None, date(2024, 6, 1))
    assert was_there in groups["Library"].members
    assert was_there in groups["North"].members
    alone = "sites: [{name: S, buildings: [{name: B, area_m2: 70, meters: [main, %s]}]}]"
    assert parse_groups(alone % "{meter: old, until: 2024-06-01}", METERS).area_of("main") == 70


def test_a_meter_may_be_out_of_use_between_two_buildings():
    text = FILE.replace("meters: [annex]", "meters: [{meter: annex, until: 2024-02-10}]")
    depot = by_name(parse_groups(text, METERS))["Depot"]
    assert depot.members == (Member("annex", 1, None, date(2024, 2, 10)),)


def test_a_virtual_meter_is_a_signed_sum_of_meters():
    rest = by_name(parse_groups(FILE, METERS))["rest"]
    assert rest.members == (Member("kitchen", -1), Member("main", 1), Member("pump", -1))
    assert rest.meters == ("main", "kitchen", "pumps")


def test_what_is_added_and_subtracted_in_a_site_is_left_out():
    text = FILE.replace("meters: [annex]", "meters: [kitchen, pumps]").replace(
        "[main, {", "[rest, {"
    )
    groups = by_name(parse_groups(text, METERS))
    moved = Member("annex", 1, date(2024, 3, 1))
    assert groups["North"].members == (moved, Member("main", 1))


def test_a_meter_has_its_own_area_or_that_of_a_building_in_which_it_is_alone():
    groups = parse_groups(FILE, METERS)
    assert groups.area_of("annex") == 300
    assert groups.area_of("main") is None
    alone = "sites: [{name: S, buildings: [{name: B, area_m2: 70, meters: [main]}]}]"
    assert parse_groups(alone, METERS).area_of("main") == 70


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "sites: []"])
def test_an_empty_file_has_no_groups(text):
    assert parse_groups(text, METERS).groups == ()


def building(rest: str) -> str:
    return f"sites: [{{name: S, buildings: [{{name: B, {rest}}}]}}]"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (building("meters: [mian]"), "B: meter 'mian' is unknown; expected a meter with readings"),
        (building("area_m2: 0, meters: [main]"), "sites/0/buildings/0/area_m2: Input should be gr"),
        (building("area_m2: -3, meters: [main]"), "sites/0/buildings/0/area_m2: Input should be g"),
        (building("area_m2: .nan, meters: [main]"), "sites/0/buildings/0/area_m2: "),
        (building("meters: []"), "sites/0/buildings/0/meters: List should have at least 1 item"),
        (building("meter: main"), "sites/0/buildings/0/meters: Field required"),
        (building("meters: [main], flor: 3"), "sites/0/buildings/0/flor: Extra inputs"),
        (building("meters: [main, main]"), "B: meter 'main' is there twice"),
        (building("meters: [3]"), "sites/0/buildings/0/meters/0/meter: expected a name (in quotes"),
        (building("meters: [{meter: main, from: soon}]"), "sites/0/buildings/0/meters/0/from: In"),
        (
            "sites: [{name: S, buildings: [{name: A, meters: [main]}, {name: B, meters: [main]}]}]",
            "A: meter 'main' is in 'B' too; give the day from which it is there",
        ),
        (
            building("meters: [{meter: main, from: 2024-03-01, until: 2024-03-01}]"),
            "B: meter 'main' is there until 2024-03-01; expected a day after 2024-03-01, from",
        ),
        (
            FILE.replace("meters: [annex]", "meters: [{meter: annex, until: 2024-03-02}]"),
            "Depot: meter 'annex' is there until 2024-03-02, and in 'Library' from 2024-03-01; ex",
        ),
        (building("meters: [{meter: main, until: soon}]"), "sites/0/buildings/0/meters/0/until:"),
        (
            "sites: [{name: S, buildings: [{name: S, meters: [main]}]}]",
            "'S' is the name of two groups; give each a name of its own",
        ),
        ("virtual: [{name: main, plus: [pump]}]", "virtual meter 'main': a meter has this name"),
        ("virtual: [{name: v, plus: [pump, pump]}]", "v: meter 'pump' is in its sum twice; name"),
        ("virtual: [{name: v, plus: [pump], minus: [pump]}]", "v: meter 'pump' is in its sum twi"),
        (
            "virtual: [{name: v, plus: [main, w]}, {name: w, plus: [main]}]",
            "v: meter 'main' is in its sum twice; name it once",
        ),
        ("virtual: [{name: v, plus: [v]}]", "virtual meters: 'v' needs 'v'; expected no cycle"),
        (
            "virtual: [{name: v, plus: [w]}, {name: w, plus: [main], minus: [v]}]",
            "virtual meters: 'v' needs 'w' needs 'v'; expected no cycle",
        ),
        (
            building("needed: {weekdays: 8-18}, meters: [main]"),
            "sites/0/buildings/0/needed/weekdays: expected a start and an end such as 08:",
        ),
        (
            building("needed: {weekdays: 18:00-08:00}, meters: [main]"),
            "sites/0/buildings/0/needed/weekdays: expected an end on the same day, such as 08",
        ),
        (building("needed: {sundays: 08:00-24:30}, meters: [main]"), "sites/0/buildings/0/needed/"),
        (building("needed: {sundays: 08:75-10:00}, meters: [main]"), "sites/0/buildings/0/needed/"),
        (
            building("needed: {holidays: 08:00-09:00}, meters: [main]"),
            "sites/0/buildings/0/needed/",
        ),
        (
            building("needed: {}, meters: [main]"),
            "sites/0/buildings/0/needed: expected hours of weekdays, saturdays or sundays; else l",
        ),
        ("sites: [\n", "line 2: expected YAML ("),
        ("virtual:\n  - name: v\n    name: w\n    plus: [pump]", "line 2: 'name' is given twice"),
        ("virtual: [&a {name: v, plus: [pump]}, *a]", "line 1: expected no reference (*)"),
        ("- a list", "the file: Input should be a valid dictionary"),
        ("tab:\t[", "line "),
        ("? [a]\n: 3", ""),
        ("a: \x00", ""),
        ("!!python/object/apply:os.system ['true']", "line 1: expected YAML ("),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text, error):
    with pytest.raises(ValueError) as raised:
        parse_groups(text, METERS)
    assert str(raised.value).startswith(error)
    assert "\n" not in str(raised.value)


@given(st.integers(0, 1439), st.integers(1, 1440))
def test_needed_hours_are_read_as_they_are_written(start, length):
    hours = NeededHours(start, min(start + length, 1440))
    text = FILE.replace("kind: library", f"needed: {{saturdays: {hours}}}")
    assert parse_groups(text, METERS).needed_of("main", date(2024, 3, 2)) == (None, hours, None)


@pytest.mark.parametrize(
    "text", ["", "8-18", "08:00", "18:00-08:00", "08:00-08:00", "08:60-09:00", "-1:00-09:00", 800]
)
def test_what_means_no_needed_hours_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match=r"needed/sundays: expected a.* such as 08:00-"):
        parse_groups(building(f"needed: {{sundays: {text!r}}}, meters: [main]"), METERS)


def test_a_chain_of_virtual_meters_has_an_end():
    chain = ", ".join(f"{{name: v{n}, plus: [v{n + 1}]}}" for n in range(80))
    with pytest.raises(ValueError, match="more than 50 virtual meters in each other"):
        parse_groups(f"virtual: [{chain}, {{name: v80, plus: [main]}}]", METERS)
