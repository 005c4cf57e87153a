"""The tables of `make eval` about findings.

Belongs here: printing. Not here: the series (`evaluate`), making the findings
(`core.evaluation.finding_rates`).
"""

import time
from collections.abc import Sequence
from datetime import date

import pandas as pd

from usage_platform.console.screen import Screen, table
from usage_platform.core.evaluation.finding_rates import QuarterFindings, is_found, quarters
from usage_platform.core.findings.finding import FindingKind
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.units import instants_of

_INTERVAL_MINUTES = 15


def print_found_faults(screen: Screen, seeds: Sequence[int]) -> None:
    """How many buildings with a lasting fault have a finding of its kind."""
    meter = Meter(interval_minutes=_INTERVAL_MINUTES)
    heads = ("buildings", "found", "missed")
    shown = table("Lasting faults of the generated library", "kind", *heads, numbers=heads)
    for kind in FindingKind:
        screen.progress(f"findings: {kind}")
        found = sum(is_found(kind, meter, seed) for seed in seeds)
        shown.add_row(kind, f"{len(seeds)}", f"{found}", f"{len(seeds) - found}")
    screen.quiet()
    screen.console.print(shown)


def print_quarters(
    screen: Screen,
    name: str,
    series: Sequence[pd.DataFrame],
    meter: Meter,
    calendar: Calendar,
    healthy_from: date | None = None,
) -> None:
    """How many findings the quarters of series without an injected fault have.

    Args:
        screen: Where the table goes.
        name: What the series are called.
        series: ts (datetime64[ns, UTC]) and value (kW) of each.
        meter: The meter of all of them.
        calendar: Its rest days.
        healthy_from: The first day from which on the series is known as healthy; None for all of
            it.
    """
    screen.progress(f"{name}: findings")
    begin = time.process_time()
    found = [
        quarter
        for frame in series
        for quarter in quarters(
            Series(instants_of(frame.loc[:, "ts"]), frame["value"].to_numpy(float)), meter, calendar
        )
    ]
    taken = (time.process_time() - begin) / len(found)
    healthy = [one for one in found if healthy_from is None or one.first >= healthy_from]
    screen.quiet()
    shown = table(f"{name}: findings without a fault", "what", "all", "healthy")
    shown.add_row("quarters", f"{len(found)}", f"{len(healthy)}")
    shown.add_row("findings a quarter", *(f"{_mean(part):.2f}" for part in (found, healthy)))
    shown.add_row("most in a quarter", *(f"{_most(part)}" for part in (found, healthy)))
    for kind in FindingKind:
        counts = [_count(part, kind) for part in (found, healthy)]
        if any(counts):
            shown.add_row(f"  {kind}", *map(str, counts))
    shown.add_row("one quarter of a meter, CPU s", f"{taken:.2f}", "")
    screen.console.print(shown)


def _mean(found: Sequence[QuarterFindings]) -> float:
    return sum(len(one.findings) for one in found) / max(1, len(found))


def _most(found: Sequence[QuarterFindings]) -> int:
    return max((len(one.findings) for one in found), default=0)


def _count(found: Sequence[QuarterFindings], kind: FindingKind) -> int:
    return sum(finding.kind is kind for one in found for finding in one.findings)
