"""The current findings with their states, for people.

Belongs here: which findings are listed, in which order, and setting a state. Not here: computing
findings (`usage_findings`), presenting them (`console`, `web`).
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import pandas as pd

from usage_platform.adapters.lake.findings_table import is_known, known_findings
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.stores.finding_states import FindingStates
from usage_platform.core.findings.states import FindingState, StateChange


class UnknownFindingError(LookupError):
    """There is no finding with an id; one line."""


@dataclass(frozen=True)
class ListedFinding:
    """A finding with its state.

    Attributes:
        id: 12 hexadecimal digits.
        meter: The meter's name.
        kind: What was found.
        start: Start of the time that it is about, UTC.
        end: End of it, exclusive, UTC.
        sentence: What was found.
        kwh: Energy above what is usual or needed in that time.
        kwh_per_year: The same in a year if it continues; None for what happens once.
        cost_per_year: What that costs; None without a tariff, and for what happens once.
        currency: As in ISO 4217; None without a tariff.
        first_seen: Local date of the night in which it was first found.
        last_seen: That of the last one.
        state: What people have decided.
        state_since: When, UTC; None for a finding whose state nobody has set.
    """

    id: str
    meter: str
    kind: str
    start: pd.Timestamp
    end: pd.Timestamp
    sentence: str
    kwh: float
    kwh_per_year: float | None
    cost_per_year: float | None
    currency: str | None
    first_seen: date
    last_seen: date
    state: FindingState
    state_since: pd.Timestamp | None


_STORED = [one.name for one in fields(ListedFinding) if not one.name.startswith("state")]


def list_findings(
    reader: LakeReader, states: FindingStates, meters: Sequence[str] | None = None
) -> list[ListedFinding]:
    """The current findings: the highest cost of a year first, then the most energy.

    Args:
        reader: The lake's tables.
        states: Their states.
        meters: Only of these meters; of all by default.

    Raises:
        LakeError: When the lake cannot be read.
    """
    known = states.read()
    rows = known_findings(reader, meters=meters).to_dict("records")
    return sorted((_listed(row, known.get(row["id"])) for row in rows), key=_order)


def set_state(reader: LakeReader, states: FindingStates, finding: str, change: StateChange) -> None:
    """Set the state of a finding, also of one that is no longer found.

    Args:
        reader: The lake's tables.
        states: Where states are kept.
        finding: Its id.
        change: The new state.

    Raises:
        UnknownFindingError: In one line, when there is no such finding.
        LakeError: When the lake cannot be read or written.
    """
    if not is_known(reader, finding):
        raise UnknownFindingError(f"no finding {finding!r}; usage-platform findings lists them")
    states.set(finding, change)


def _listed(row: Mapping[Hashable, Any], change: StateChange | None) -> ListedFinding:
    content: dict[str, Any] = {
        str(name): None if pd.isna(value) else value for name, value in row.items()
    }
    state = FindingState.NEW if change is None else change.state
    since = None if change is None else change.at
    return ListedFinding(**{n: content[n] for n in _STORED}, state=state, state_since=since)


def _order(one: ListedFinding) -> tuple[float, float, str]:
    energy = one.kwh if one.kwh_per_year is None else one.kwh_per_year
    cost = -math.inf if one.cost_per_year is None else one.cost_per_year
    return -cost, -energy, one.id
