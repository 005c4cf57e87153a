"""Findings beside what was planted: found, missed, consequences and false ones."""

import numpy as np
import pandas as pd
import pytest

from usage_platform.core.evaluation.finding_rates import CALENDAR
from usage_platform.core.evaluation.planted_findings import evaluate_planted, healthy_findings
from usage_platform.core.findings.find import find
from usage_platform.core.generator.site import generated_meters, healthy_meters
from usage_platform.core.generator.site_plan import DAYS
from usage_platform.core.generator.site_truth import PlantedFinding, planted_findings
from usage_platform.core.readings.series import Series
from usage_platform.core.time.units import instants_of

START, END = pd.Timestamp("2024-05-27T04:00Z"), pd.Timestamp("2024-06-24T04:00Z")


def planted(kind="late_stop", meter="sauna", start=START, end=END):
    return PlantedFinding(meter, kind, start, end, 100.0, 1300.0)


def finding(number, **changes):
    row = {
        "id": f"{number}",
        "meter": "sauna",
        "kind": "late_stop",
        "start": START,
        "end": END,
        "kwh": 90.0,
        "kwh_per_year": 1200.0,
    }
    return row | changes


def evaluated(truths, rows, healthy=()):
    columns = [*finding(0)]
    return evaluate_planted(truths, pd.DataFrame(rows, columns=columns), set(healthy))


def test_a_finding_of_the_same_kind_meter_and_time_is_the_planted_one():
    found = evaluated([planted()], [finding(1)])
    [one] = found.verdicts
    assert (one.is_found, one.kwh, one.kwh_per_year) == (True, 90.0, 1200.0)
    assert (found.found, found.consequences, found.false) == (1, 0, 0)


@pytest.mark.parametrize(
    "other",
    [
        {"meter": "pool"},
        {"kind": "early_start"},
        {"start": END, "end": END + pd.Timedelta(days=1)},
        {"start": START - pd.Timedelta(days=1), "end": START},
    ],
)
def test_another_finding_is_none_and_counts_as_a_consequence(other):
    found = evaluated([planted()], [finding(1, **other)])
    [one] = found.verdicts
    assert (one.is_found, one.kwh, one.kwh_per_year) == (False, None, None)
    assert (found.found, found.consequences, found.false) == (0, 1, 0)


def test_what_a_healthy_meter_has_too_is_false_and_so_are_sub_meters_that_add_up():
    rows = [finding(1), finding(2, meter="pool"), finding(3, kind="sub_meters", meter="library")]
    found = evaluated([planted()], rows, healthy={"2"})
    assert (found.found, found.consequences, found.false) == (1, 0, 2)


def test_one_finding_is_the_truth_of_one_planted_finding_alone():
    found = evaluated([planted(), planted()], [finding(1)])
    assert [one.is_found for one in found.verdicts] == [True, False]


def test_energy_of_what_happens_once_has_no_year():
    truth = planted("sub_meters")
    [one] = evaluated([truth], [finding(1, kind="sub_meters", kwh_per_year=np.nan)]).verdicts
    assert one.is_found
    assert one.kwh_per_year is None


def test_without_findings_all_are_missed():
    found = evaluated([planted()], [])
    assert (found.found, found.consequences, found.false) == (0, 0, 0)


def test_all_that_is_planted_in_one_meter_is_found_and_hardly_anything_else():
    as_of = END.value
    rows = [
        vars(one)
        for made in generated_meters(1, DAYS)
        for one in find(
            Series(instants_of(made.frame.loc[:, "ts"]), made.frame["value"].to_numpy(float)),
            made.meter,
            CALENDAR,
            as_of,
        )
    ]
    healthy = healthy_findings(healthy_meters(1, DAYS), CALENDAR, as_of)
    # Sub-meters are compared by the service, which knows the groups.
    truths = [one for one in planted_findings(1, DAYS) if one.kind != "sub_meters"]
    found = evaluated(truths, rows, healthy)
    assert found.found == len(truths)
    for one in found.verdicts:
        if one.kwh_per_year is not None:
            assert one.kwh_per_year == pytest.approx(one.planted.kwh_per_year, rel=0.15)
    assert found.false <= 1
