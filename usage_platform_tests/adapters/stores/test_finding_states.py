"""The states of findings: the last one counts, none is lost, a damaged file is refused."""

from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.finding_states import FindingStates
from usage_platform.core.findings.states import FindingState, StateChange

AT = pd.Timestamp("2024-06-20T12:00Z")


@pytest.fixture
def assets(tmp_path):
    return LakeFiles(str(tmp_path))


def test_the_last_state_of_a_finding_counts(assets):
    states = FindingStates(assets)
    assert states.read() == {}
    last = StateChange(FindingState.DONE, AT + pd.Timedelta(days=1))
    for finding, change in (
        ("a", StateChange(FindingState.ACCEPTED, AT)),
        ("b", StateChange(FindingState.NEW, AT)),
        ("a", last),
    ):
        states.set(finding, change)
    assert FindingStates(assets).read() == {"a": last, "b": StateChange(FindingState.NEW, AT)}


def test_states_that_are_set_at_the_same_time_are_all_kept(assets):
    findings = [f"{number:012x}" for number in range(12)]
    with ThreadPoolExecutor(4) as threads:
        list(
            threads.map(
                lambda one: FindingStates(assets).set(one, StateChange(FindingState.DONE, AT)),
                findings,
            )
        )
    assert sorted(FindingStates(assets).read()) == findings


@pytest.mark.parametrize("text", ["[1]", '{"a": {"state": "old", "at": "2024-06-20Z"}}', "{"])
def test_a_damaged_file_is_one_line_and_is_not_overwritten(assets, text):
    assets.write_text("finding_states.json", text)
    states = FindingStates(assets)
    with pytest.raises(LakeError, match=r"finding_states.json: damaged \("):
        states.read()
    with pytest.raises(LakeError, match=r"finding_states.json: damaged \("):
        states.set("a", StateChange(FindingState.DONE, AT))
    assert assets.read_text("finding_states.json") == text
