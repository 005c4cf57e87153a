"""Findings in the order of what they cost, with the states that people have set."""

import pandas as pd
import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.stores.finding_states import FindingStates
from usage_platform.core.findings.states import FindingState, StateChange
from usage_platform.services.finding_list import UnknownFindingError, list_findings, set_state
from usage_platform_tests.made_findings import finding, write_findings

NOW = pd.Timestamp("2024-06-20T12:00Z")
FREE = {"cost_per_year": None, "currency": None}


@pytest.fixture
def states(lake):
    return FindingStates(LakeFiles(lake.assets))


def test_the_dearest_come_first_then_those_with_most_energy(lake, states):
    once = finding(9000, kwh_per_year=None, cost_per_year=None)
    cheap, dear = finding(5000, cost_per_year=1.0), finding(100)
    write_findings(lake, finding(400, **FREE), cheap, once, dear, finding(7000, "lab", **FREE))
    found = list_findings(LakeReader(lake), states)
    assert [one.id for one in found] == [
        *(f"{number:012x}" for number in (100, 5000, 7000, 9000, 400)),
    ]
    assert [one.cost_per_year for one in found] == [25.0, 1.0, None, None, None]
    assert [one.kwh_per_year for one in found] == [100.0, 5000.0, 7000.0, None, 400.0]
    assert (found[2].currency, found[2].state, found[2].state_since) == (None, "new", None)
    (lab,) = list_findings(LakeReader(lake), states, ["lab"])
    assert lab.meter == "lab"


def test_a_state_stays_with_its_finding_and_one_that_is_gone_is_not_listed(lake, states):
    write_findings(lake, finding(1), finding(2, is_current=False))
    reader = LakeReader(lake)
    for number in (1, 2):
        set_state(reader, states, f"{number:012x}", StateChange(FindingState.ACCEPTED, NOW))
    (one,) = list_findings(reader, states)
    assert (one.state, one.state_since) == (FindingState.ACCEPTED, NOW)
    write_findings(lake, finding(2))
    assert {one.state for one in list_findings(reader, states)} == {FindingState.ACCEPTED}


def test_a_state_of_no_finding_is_refused(lake, states):
    reader = LakeReader(lake)
    with pytest.raises(UnknownFindingError, match="no finding 'x'"):
        set_state(reader, states, "x", StateChange(FindingState.DONE, NOW))
    write_findings(lake, finding(1))
    with pytest.raises(UnknownFindingError):
        set_state(reader, states, "x", StateChange(FindingState.DONE, NOW))
    assert states.read() == {}


def test_without_a_table_there_are_none(lake, states):
    assert list_findings(LakeReader(lake), states) == []
