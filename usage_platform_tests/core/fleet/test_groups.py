"""The members of a sum over time, against counting them day by day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.fleet.groups import Group, GroupKind, Groups, Member, net_members

DAYS = [date(2024, 1, 1) + timedelta(days=n) for n in range(6)]


def signs(members: tuple[Member, ...], day: date) -> dict[str, int]:
    """By meter, how often it counts on a day."""
    found: dict[str, int] = {}
    for one in members:
        if (one.since or day) <= day and (one.until is None or day < one.until):
            found[one.meter] = found.get(one.meter, 0) + one.sign
    return {meter: sign for meter, sign in found.items() if sign}


ENDS = st.tuples(st.none() | st.sampled_from(DAYS), st.none() | st.sampled_from(DAYS)).filter(
    lambda ends: None in ends or ends[0] < ends[1]
)
MEMBERS = st.builds(
    lambda meter, sign, ends: Member(meter, sign, *ends),
    st.sampled_from("ab"),
    st.sampled_from([1, -1]),
    ENDS,
)


@given(st.lists(MEMBERS, max_size=6).map(tuple))
def test_the_net_members_count_each_meter_as_often_as_all_members_do(members):
    days = [DAYS[0] - timedelta(days=1), *DAYS]
    by_day = [signs(members, day) for day in days]
    if any(abs(sign) > 1 for found in by_day for sign in found.values()):
        with pytest.raises(ValueError, match=r"^g: meter '[ab]' is in its sum twice"):
            net_members(members, "g")
        return
    net = net_members(members, "g")
    assert [signs(net, day) for day in days] == by_day
    for day in days:
        there = [one.meter for one in net if signs((one,), day)]
        assert len(there) == len(set(there))


def test_a_meter_is_in_the_groups_that_add_it_on_a_day():
    moved = date(2024, 3, 10)
    members = {
        "old": (Member("m", 1, until=moved),),
        "new": (Member("m", 1, since=moved),),
        "rest": (Member("main", 1), Member("m", -1)),
    }
    groups = Groups(
        tuple(
            Group(name, GroupKind.VIRTUAL, "", None, None, of, ()) for name, of in members.items()
        )
    )
    assert groups.names_of("m", moved - timedelta(days=1)) == {"old"}
    assert groups.names_of("m", moved) == {"new"}
    assert groups.names_of("main", moved) == {"rest"}


def test_a_group_is_a_meter_of_itself_and_a_building_of_its_site():
    day = date(2024, 3, 1)
    members = (Member("m", 1),)
    site = Group("Site", GroupKind.SITE, "", None, None, members, ())
    house = Group("House", GroupKind.BUILDING, "", None, "Site", members, ("m",))
    groups = Groups((site, house))
    assert groups.names_of("House", day) == {"House", "Site"}
    assert groups.names_of("Site", day) == {"Site"}
