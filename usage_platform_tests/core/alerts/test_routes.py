"""Which route takes an episode, and why the others do not."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.alert_routes import RouteStore, routes_in
from usage_platform.core.alerts.alert import Severity
from usage_platform.core.alerts.routes import Facts, Step, Weekly, refusal, taking_route
from usage_platform.core.alerts.routes_file import KINDS, SINK_NAMES
from usage_platform.core.meters import Meter
from usage_platform.wiring.sinks import SETTING_OF, SINKS
from usage_platform_tests.repository import ROOT

FILE = """
targets:
  facility: {sink: email, to: [anna@example.org], weekly: {day: monday, at: "07:00"}}
  floor: {sink: mqtt, topic: floor/2}
  oncall: {sink: slack, address: oncall}
routes:
  - name: library at night
    meters: ["central-*", gym]
    groups: [North campus]
    kinds: [night_load, silent]
    min_severity: medium
    min_cost: 50.5
    hours: 18:00-07:00
    days: [weekdays]
    targets: [facility, floor]
    quiet_hours: 22:00-07:00
    escalate_after:
      - {hours: 4, targets: [oncall]}
      - {hours: 12.5, targets: [sns]}
"""


def facts(**changes):
    given = {
        "meter": Meter("central-library", "America/New_York"),
        "groups": frozenset({"North campus", "Main"}),
        "kind": "night_load",
        "severity": Severity.HIGH,
        "at": datetime(2024, 3, 5, 23, tzinfo=UTC),  # Tuesday, 18:00.
        "cost": lambda: Decimal("50.5"),
    }
    return Facts(**(given | changes))


def why(**changes):
    (route,) = routes_in(FILE, "f").routes
    return refusal(route, facts(**changes), Severity.LOW)


def at(text, zone="America/New_York"):
    meter = Meter("central-library", zone)
    return {"at": datetime.fromisoformat(text).replace(tzinfo=meter.zone), "meter": meter}


def test_the_whole_file_is_understood():
    found = routes_in(FILE, "f")
    facility, floor, oncall = found.targets
    assert (facility.to, facility.weekly) == (("anna@example.org",), Weekly(0, 420))
    assert (floor.topic, oncall.address) == ("floor/2", "oncall")
    (route,) = found.routes
    assert route.escalate_after == (Step(4.0, ("oncall",)), Step(12.5, ("sns",)))
    assert route.quiet_hours == (1320, 420)
    assert found.named_targets == ["facility", "floor", "oncall", "sns"]
    assert found.used_groups == {"North campus"}


def test_the_example_of_the_documentation_is_a_file():
    page = (ROOT / "docs" / "alerts.md").read_text("utf-8")
    found = routes_in(page.partition("```yaml\n")[2].partition("```")[0], "docs/alerts.md")
    assert [len(found.targets), len(found.routes)] == [3, 3]


def test_a_route_may_take_peak_warnings():
    text = "routes: [{name: peaks, kinds: [peak_warning], targets: [slack]}]"
    (route,) = routes_in(text, "f").routes
    assert route.kinds == ("peak_warning",)


def test_an_episode_is_taken_if_all_conditions_hold():
    assert why() == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"meter": Meter("kitchen")}, "meters: kitchen is none of central-*, gym"),
        ({"groups": frozenset({"Main"})}, "groups: central-library is a member of Main"),
        ({"groups": frozenset()}, "groups: central-library is a member of no group"),
        ({"kind": "spike"}, "kinds: spike is none of night_load, silent"),
        ({"severity": Severity.LOW}, "min_severity: low is below medium"),
        (at("2024-03-05T17:59"), "days or hours: it is Tue 17:59 in America/New_York"),
        (at("2024-03-09T18:00"), "days or hours: it is Sat 18:00 in America/New_York"),
        # The zone of the meter counts: Tuesday evening in New York is Wednesday in Kolkata.
        ({**at("2024-03-06T04:29", "Asia/Kolkata")}, ""),
        (
            {**at("2024-03-06T17:30", "Asia/Kolkata")},
            "days or hours: it is Wed 17:30 in Asia/Kolkata",
        ),
        ({"cost": lambda: Decimal("50.49")}, "min_cost: 50.49 is below 50.5"),
        ({"cost": lambda: None}, "min_cost: the cost is not known"),
    ],
)
def test_a_refusal_says_which_condition_does_not_hold(changes, reason):
    assert why(**changes) == reason


@pytest.mark.parametrize(
    ("instant", "takes"),
    [
        ("2024-03-10T05:30+00:00", False),  # 00:30 EST, before the hours.
        ("2024-03-10T06:30+00:00", True),  # 01:30 EST, before the change.
        ("2024-03-10T07:30+00:00", True),  # 03:30 EDT, after it.
        ("2024-03-10T08:00+00:00", False),
        ("2024-11-03T05:30+00:00", True),  # 01:30 EDT, the first time.
        ("2024-11-03T06:30+00:00", True),  # 01:30 EST, the second time.
        ("2024-11-03T09:00+00:00", False),
    ],
)
def test_hours_are_those_of_the_wall_clock_when_the_clocks_change(instant, takes):
    text = "routes: [{name: r, hours: 01:00-04:00, targets: [slack]}]"
    (route,) = routes_in(text, "f").routes
    found = refusal(route, facts(at=datetime.fromisoformat(instant)), Severity.LOW)
    assert (found == "") == takes


def test_the_first_route_takes_it_and_the_cost_is_looked_up_only_if_all_else_fits():
    text = """
routes:
  - {name: dear, kinds: [spike], min_cost: 5, targets: [slack]}
  - {name: rest, targets: [sns]}
  - {name: never, targets: [mqtt]}
"""

    def fail():
        raise AssertionError("looked up")

    found = taking_route(routes_in(text, "f").routes, facts(cost=fail), Severity.LOW)
    assert found.name == "rest"


def test_the_severity_of_the_settings_counts_where_a_route_names_none():
    (route,) = routes_in("routes: [{name: r, targets: [slack]}]", "f").routes
    low = facts(severity=Severity.LOW)
    assert refusal(route, low, Severity.LOW) == ""
    assert refusal(route, low, Severity.MEDIUM) == "min_severity: low is below medium"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sink: email", "sink: fax", "target facility: sink: expected 'webhook', 'slack', 'email'"),
        ("[anna@example.org]", "[anna]", "target facility: to 1: expected mail addresses"),
        ("floor/2", "floor/#", "target floor: topic: expected a topic such as usage/alerts"),
        ("sink: mqtt, ", "sink: sns, ", "target floor: topic: expected it for sink mqtt only"),
        ("sink: email", "sink: mqtt", "target facility: to: expected it for sink email only"),
        ("floor: {", "slack: {", "target slack: expected another name than webhook, slack"),
        ("floor: {", "Floor 2: {", "target Floor 2: expected a name of at most 40 letters a-z"),
        ("address: oncall", "url: http://h/x", "target oncall: url: unknown field; expected one"),
        ("monday", "mon", "target facility: weekly: day: expected one of monday, tuesday"),
        ('"07:00"', '"7"', "target facility: weekly: at: expected a time such as 07:00, got '7'"),
        ("night_load", "nigh", "route library at night: kinds 1: expected kinds out of spike"),
        (
            "medium",
            "bad",
            "route library at night: min_severity: expected 'low', 'medium' or 'high'",
        ),
        ("50.5", "50,5", "route library at night: min_cost: expected a number such as 0.25"),
        (
            "hours: 18:00-07:00",
            "hours: 18-7",
            "route library at night: hours: expected a start and",
        ),
        ("[weekdays]", "[holidays]", "route library at night: days: expected days out of mon, tue"),
        ("22:00-07:00", "00:00-24:00", "quiet_hours: expected quiet hours that end"),
        ("hours: 4", "hours: 400", "step 1: hours: expected hours above 0 and at most 168"),
        ("hours: 4", "hours: 20", "escalate_after: hours: expected each step later than the last"),
        ("[facility, floor]", "[nobody]", "targets: expected a target of this file or a sink"),
        (
            "[facility, floor]",
            "[oncall]",
            "escalate_after: targets: expected each target once, got",
        ),
        ("name: library at night\n", "nam: x\n", "route 1: name: expected this field, which is"),
        ("hours: 18:00-07:00", "hours: a\n    hours: b", "'hours' is given twice; give it once"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_file_route_field_and_what_is_expected(
    old, new, message
):
    with pytest.raises(LakeError) as refused:
        routes_in(FILE.replace(old, new, 1), "lake/alerts.yaml")
    assert str(refused.value).startswith("lake/alerts.yaml: ")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_two_routes_of_one_name_are_refused():
    text = "routes: [{name: r, targets: [slack]}, {name: r, targets: [sns]}]"
    with pytest.raises(LakeError, match="f: route r: name: expected each name once"):
        routes_in(text, "f")


def test_no_file_is_no_routes_and_an_empty_one_has_none(tmp_path):
    store = RouteStore(LakeFiles(str(tmp_path)))
    assert store.read() is None
    (tmp_path / "alerts.yaml").write_text("")
    assert store.read().routes == ()


def test_the_file_knows_the_sinks_that_there_are_and_the_kinds_on_the_wire():
    assert SINK_NAMES == SINKS
    assert set(SETTING_OF) == set(SINKS)
    assert {"spike", "stuck", "silent", "gap", "peak_warning"} < set(KINDS)
