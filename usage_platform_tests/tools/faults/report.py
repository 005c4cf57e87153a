"""What is printed of the rounds: a line each as they end, and the table at the end."""

from collections.abc import Mapping, Sequence
from statistics import median

from rich.table import Table

from usage_platform_tests.tools.faults.cuts import Cut, Outcome

_MOST_FINDINGS = 5


def round_lines(cut: Cut, number: int, rounds: int, outcome: Outcome) -> list[str]:
    """What came of one round: a line, and some more for what is wrong."""
    lines = outcome.findings.lines
    verdict = f"{len(lines)} findings" if lines else "right again"
    first = f"{cut} ({cut.by}), round {number} of {rounds}: {verdict} after"
    return [f"{first} {outcome.seconds:.1f} s", *(f"  {line}" for line in lines[:_MOST_FINDINGS])]


def table_of(outcomes: Mapping[Cut, Sequence[Outcome]]) -> Table:
    """The matrix: a row a cut."""
    columns = ("cut", "signal", "rounds", "lost", "doubled", "wrong", "seconds to recover", "most")
    table = Table(*columns, title="faults")
    for cut, played in outcomes.items():
        counts = [
            str(sum(len(getattr(outcome.findings, kind)) for outcome in played))
            for kind in ("lost", "doubled", "wrong")
        ]
        seconds = [outcome.seconds for outcome in played]
        times = (f"{median(seconds):.1f}", f"{max(seconds):.1f}")
        table.add_row(str(cut), cut.by, str(len(played)), *counts, *times)
    return table
