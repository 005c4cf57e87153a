"""`usage-platform findings`: the findings of the meters, for people or as JSON.

Belongs here: the screen and its JSON. Not here: what is found (`core.findings`).
"""

import json
from dataclasses import asdict
from datetime import date

import pandas as pd
from rich.markup import escape
from rich.table import Table

from usage_platform.adapters.lake.tables import USAGE_FINDINGS
from usage_platform.console.screen import Screen, table
from usage_platform.core.findings.states import FindingState, StateChange
from usage_platform.services.finding_list import (
    ListedFinding,
    UnknownFindingError,
    list_findings,
    set_state,
)
from usage_platform.settings.settings import SettingsError
from usage_platform.wiring.findings import finding_states
from usage_platform.wiring.platform import Platform


def print_findings(
    deployment: Platform, meter: str | None, state: str | None, as_json: bool, screen: Screen
) -> None:
    """Print the current findings.

    Args:
        deployment: The services.
        meter: Only of this meter; None for all.
        state: Only in this state; None for all.
        as_json: Print one JSON object per line in place of a table.
        screen: Where to print.

    Raises:
        SettingsError: In one line, when findings have never been computed.
        LakeError: In one line, when they cannot be read.
    """
    if not deployment.reader.exists(USAGE_FINDINGS):
        raise SettingsError(
            "findings: none computed yet; the schedule nightly_findings computes them, or "
            "dg launch --assets usage_findings"
        )
    meters = None if meter is None else [meter]
    found = [
        one
        for one in list_findings(deployment.reader, finding_states(deployment), meters)
        if state in (None, one.state)
    ]
    if as_json:
        for one in found:
            print(json.dumps(asdict(one), default=_plain))
    elif found:
        screen.console.print(_listed(found))
    else:
        screen.say("no findings")


def print_state(
    deployment: Platform, finding: str, state: str, now: pd.Timestamp, screen: Screen
) -> None:
    """Set the state of a finding and say so.

    Args:
        deployment: The services.
        finding: Its id.
        state: A `FindingState`.
        now: The current time, UTC.
        screen: Where to print.

    Raises:
        SettingsError: In one line, when there is no such finding.
        LakeError: In one line, when the lake cannot be read or written.
    """
    change = StateChange(FindingState(state), now)
    try:
        set_state(deployment.reader, finding_states(deployment), finding, change)
    except UnknownFindingError as error:
        raise SettingsError(f"findings: {error}") from None
    screen.say(f"{finding}: {state}")


def _listed(found: list[ListedFinding]) -> Table:
    heads = ("kWh a year", "cost a year")
    rows = table("Findings", "id", "meter", "what", *heads, "state", numbers=heads)
    for one in found:
        cost = "" if one.cost_per_year is None else f"{one.cost_per_year:,.0f} {one.currency}"
        cells = (one.id, one.meter, one.sentence, _energy(one), cost, one.state)
        rows.add_row(*map(escape, cells))
    return rows


def _energy(one: ListedFinding) -> str:
    """Of a year, or of what happens once; nothing where no energy is lost."""
    if one.kwh_per_year is not None:
        return f"{one.kwh_per_year:,.0f}"
    return f"{one.kwh:,.0f} once" if one.kwh else ""


def _plain(value: object) -> str:
    assert isinstance(value, pd.Timestamp | date)  # noqa: S101 - no other type is left
    return value.isoformat()
