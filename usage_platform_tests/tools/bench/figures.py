"""Rows of a bench, the figures that they give, and how these are shown.

Belongs here: the shape of a row and its figures, choosing rows by name, the table and the JSON. Not
here: which rows there are (`rows`), measuring.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from usage_platform_tests.tools.bench.workbench import Workbench


@dataclass(frozen=True)
class Beside:
    """What a figure is compared with, measured in the same run and in the same unit.

    Attributes:
        what: The naive way, or the physical limit.
        value: Its figure.
    """

    what: str
    value: float


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        what: What was measured.
        value: The figure.
        unit: Its unit.
        beside: What it is compared with.
        more_is_better: Whether a larger value is a better one.
    """

    what: str
    value: float
    unit: str
    beside: tuple[Beside, ...] = ()
    more_is_better: bool = True

    def times_better(self, other: Beside) -> float:
        """How many times better the figure is than what is beside it; below 1 where it is worse."""
        better, worse = self.value, other.value
        return better / worse if self.more_is_better else worse / better


@dataclass(frozen=True)
class Row:
    """One thing that the bench measures.

    Attributes:
        name: Chooses it on the command line.
        what: What it measures, in a few words.
        measure: Measures it, in topics and a folder of its own.
    """

    name: str
    what: str
    measure: Callable[[Workbench], list[Figure]]


class UnknownRowError(ValueError):
    """A name that no row has; one line with the names that there are."""


def chosen(rows: Sequence[Row], names: str | None) -> list[Row]:
    """The rows with these names in the order of `rows`; all without names.

    Args:
        rows: All rows.
        names: Names of rows, with commas between them.

    Raises:
        UnknownRowError: When there is no row of a name.
    """
    if names is None:
        return list(rows)
    wanted = [name.strip() for name in names.split(",")]
    known = [row.name for row in rows]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise UnknownRowError(f"--only: no row {', '.join(unknown)}; choose of {', '.join(known)}")
    return [row for row in rows if row.name in wanted]


def as_json(measured: Sequence[tuple[Row, Sequence[Figure]]]) -> dict[str, Any]:
    """All figures for JSON: by row its figures, each with what is beside it."""
    return {
        row.name: [
            {
                "what": figure.what,
                "value": figure.value,
                "unit": figure.unit,
                "beside": [
                    {**vars(other), "times_better": figure.times_better(other)}
                    for other in figure.beside
                ],
            }
            for figure in figures
        ]
        for row, figures in measured
    }


def as_table(measured: Sequence[tuple[Row, Sequence[Figure]]]) -> Table:
    """All figures; what is beside one follows in lines of its own."""
    table = Table("row", "what", "figure", "unit", "times better", title="measured in this run")
    for column in (2, 4):
        table.columns[column].justify = "right"
    for row, figures in measured:
        name = row.name
        for figure in figures:
            table.add_row(name, figure.what, _shown(figure.value), figure.unit, "")
            name = ""
            for other in figure.beside:
                ratio = _shown(figure.times_better(other))
                table.add_row("", f"  beside: {other.what}", _shown(other.value), "", ratio)
        table.add_section()
    return table


def _shown(value: float) -> str:
    """Three significant digits at least."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"
