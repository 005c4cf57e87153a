"""The parts of a group on top of each other: nothing missing counts as 0, nothing is lost."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.fleet.groups import Group, GroupKind, Member, Part
from usage_platform.core.fleet.groups_file import parse_groups
from usage_platform.core.fleet.stack import MOST_LAYERS, Stack, StackPlan, plan_of, stacked

NAN = math.nan


def part(name: str, sign: int = 1) -> Part:
    return Part(name, sign, (Member(name, 1),))


def group(*parts: Part) -> Group:
    return Group("g", GroupKind.VIRTUAL, "", None, None, (), (), parts)


def of(values: list[list[float]], *, has_main: bool = True) -> Stack:
    """A stack of single meters, all in the group in each hour; the last row is the main meter."""
    kwh = np.array(values, dtype=np.float64)
    layers = len(values) - has_main
    names = tuple("abcdefghijklmnop"[:layers])
    members = tuple((Member(name, 1),) for name in names)
    plan = StackPlan(names, members, (Member("main", 1),) if has_main else None)
    return stacked(plan, kwh, np.ones(kwh.shape, dtype=np.bool_))


def test_what_is_subtracted_is_stacked_below_what_is_added():
    plan = plan_of(group(part("main"), part("a", -1), part("b", -1)))
    assert plan.names == ("a", "b")
    assert plan.main == (Member("main", 1),)
    assert plan.sums == (*plan.layers, plan.main)


def test_a_group_that_subtracts_nothing_is_the_sum_of_its_parts():
    plan = plan_of(group(part("a"), part("b")))
    assert (plan.names, plan.main) == (("a", "b"), None)
    assert plan.sums == plan.layers


def test_the_parts_of_a_file_are_buildings_meters_and_what_is_subtracted():
    content = {
        "sites": [
            {
                "name": "S",
                "buildings": [
                    {"name": "B", "meters": ["m", "rest"]},
                    {"name": "C", "meters": [{"meter": "x"}]},
                ],
            }
        ],
        "virtual": [{"name": "rest", "plus": ["main"], "minus": ["a", "m"]}],
    }
    found = parse_groups(content, ["m", "main", "a", "x"])
    groups = {one.name: one for one in found.groups}
    assert [(one.name, one.sign) for one in groups["rest"].parts] == [
        ("main", 1),
        ("a", -1),
        ("m", -1),
    ]
    assert [one.name for one in groups["S"].parts] == ["B", "C"]
    assert groups["S"].parts[0].members == groups["B"].members
    building = groups["B"]
    assert [one.name for one in building.parts] == ["m", "rest"]
    assert {(one.meter, one.sign) for one in building.parts[1].members} == {
        ("main", 1),
        ("a", -1),
        ("m", -1),
    }
    # Its sum is the main meter's less that of a: m is added and subtracted.
    assert {(one.meter, one.sign) for one in building.members} == {("main", 1), ("a", -1)}


def test_the_rest_is_the_main_meter_minus_all_layers():
    found = of([[1.0, 2.0], [3.0, 4.0], [10.0, 20.0]])
    assert found.rest.tolist() == [6.0, 14.0]
    assert [layer.name for layer in found.layers] == ["b", "a"]
    assert (found.negative_hours, found.absent) == (0, ())


def test_an_hour_without_a_layer_is_left_out_of_all_and_the_main_meter_stays():
    found = of([[1.0, NAN], [3.0, 4.0], [10.0, 20.0]])
    assert found.is_whole.tolist() == [True, False]
    assert found.rest[0] == 6.0
    assert all(np.isnan(layer.kw[1]) for layer in found.layers)
    assert np.isnan(found.rest[1])
    assert found.main.tolist() == [10.0, 20.0]
    assert {layer.name: layer.missing_hours for layer in found.layers} == {"a": 1, "b": 0}


def test_a_layer_that_is_never_there_is_absent_and_its_energy_stays_in_the_rest():
    found = of([[NAN, NAN], [3.0, 4.0], [10.0, 20.0]])
    assert found.absent == ("a",)
    assert [layer.name for layer in found.layers] == ["b"]
    assert found.rest.tolist() == [7.0, 16.0]


def test_without_the_main_meter_there_is_no_rest():
    found = of([[1.0, 2.0], [NAN, 20.0]])
    assert found.is_whole.tolist() == [False, True]
    assert np.isnan(found.rest[0])


def test_layers_that_are_more_than_the_main_meter_are_counted():
    found = of([[6.0, 2.0, 1.0], [5.0, 2.0, 1.0], [10.0, 4.0, 2.0 - 1e-9]])
    assert found.negative_hours == 1
    assert found.rest[0] == -1.0


def test_a_part_adds_nothing_in_hours_in_which_it_is_not_in_the_group():
    plan = StackPlan(("a", "b"), ((Member("a", 1),), (Member("b", 1),)), None)
    kwh = np.array([[1.0, NAN], [3.0, 4.0]])
    found = stacked(plan, kwh, np.array([[True, False], [True, True]]))
    assert found.is_whole.all()
    assert {layer.name: layer.missing_hours for layer in found.layers} == {"a": 0, "b": 0}
    assert found.layers[0].kw.tolist() == [3.0, 4.0]


ENERGY = st.just(NAN) | st.floats(-10, 100)


@given(
    st.integers(1, 11).flatmap(
        lambda layers: st.lists(
            st.lists(ENERGY, min_size=layers, max_size=layers), min_size=1, max_size=12
        )
    ),
    st.booleans(),
)
def test_in_each_whole_hour_the_parts_are_the_main_meter_or_the_sum(by_hour, has_main):
    values = np.array(by_hour).T
    if has_main and len(values) == 1:
        return
    found = of(values.tolist(), has_main=has_main)
    layers = values[:-1] if has_main else values
    assert len(found.layers) <= MOST_LAYERS
    present = layers[~np.isnan(layers).all(axis=1)]
    shown = [layer.kw for layer in found.layers]
    total = np.sum(shown, axis=0) if shown else np.where(found.is_whole, 0.0, NAN)
    whole = found.is_whole
    assert whole.tolist() == [
        bool(not np.isnan(present[:, hour]).any() and not (has_main and np.isnan(values[-1, hour])))
        for hour in range(values.shape[1])
    ]
    np.testing.assert_allclose(total[whole], present.sum(axis=0)[whole], atol=1e-9)
    assert np.isnan(total[~whole]).all()
    if has_main:
        np.testing.assert_allclose((total + found.rest)[whole], values[-1][whole], atol=1e-9)
    missing = [layer.missing_hours for layer in found.layers]
    assert max(missing, default=0) <= values.shape[1]
    if len(present) <= MOST_LAYERS:
        assert sum(missing) == np.isnan(present).sum()
    assert len(found.absent) == len(layers) - len(present)


def test_many_layers_are_the_largest_and_the_others_as_one():
    values = [[float(n)] for n in range(1, 13)]
    found = of(values, has_main=False)
    assert [layer.name for layer in found.layers][-1] == "5 others"
    assert found.layers[-1].kw.tolist() == [1.0 + 2.0 + 3.0 + 4.0 + 5.0]
    assert found.layers[0].kw.tolist() == [12.0]
    assert len(found.layers) == MOST_LAYERS


def test_an_hour_that_several_of_the_others_lack_is_counted_once():
    values = [[float(n), NAN if n <= 3 else float(n), float(n)] for n in range(1, 13)]
    found = of(values, has_main=False)
    assert (found.layers[-1].name, found.layers[-1].missing_hours) == ("5 others", 1)
