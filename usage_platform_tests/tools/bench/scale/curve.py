"""The sizes at which stages are measured, what was measured at each, and the curves.

Belongs here: the shape of the results, their table and JSON. Not here: the stages, measuring.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rich.table import Table

from usage_platform_tests.tools.bench.scale.exponent import exponent

FLOOR, AIM = 1.10, 1.05
"""The largest exponent that is accepted, and the one that is aimed at."""

_MIB = 2**20
_MONTH_DAYS = 30


class Axis(StrEnum):
    """What grows: meters, each with a day of events; or months of one meter's events."""

    METERS = "meters"
    MONTHS = "months"


@dataclass(frozen=True)
class Size:
    """One size of one axis.

    Attributes:
        axis: What grows.
        count: How many.
    """

    axis: Axis
    count: int

    @property
    def meters(self) -> int:
        """How many meters."""
        return self.count if self.axis is Axis.METERS else 1

    @property
    def days(self) -> int:
        """How many days of events wait on the topic, of each meter."""
        return 1 if self.axis is Axis.METERS else self.count * _MONTH_DAYS


@dataclass(frozen=True)
class Point:
    """What a stage took at one size.

    Attributes:
        size: The size.
        seconds: By the clock.
        cpu_seconds: Of all processes: this one and its own, the broker, Spark and its workers.
        python_peak: The largest memory of a Python process, bytes.
        java_peak: The largest memory of a Java process, bytes.
    """

    size: Size
    seconds: float
    cpu_seconds: float
    python_peak: int
    java_peak: int


@dataclass(frozen=True)
class Curve:
    """A stage along an axis.

    Attributes:
        stage: Its name.
        axis: What grows.
        points: By size, ascending.
    """

    stage: str
    axis: Axis
    points: tuple[Point, ...]

    @property
    def work(self) -> list[float]:
        """The sizes."""
        return [float(point.size.count) for point in self.points]

    @property
    def exponent(self) -> float | None:
        """The exponent of the CPU seconds; None where it cannot be said."""
        return exponent(self.work, [point.cpu_seconds for point in self.points])


def as_json(curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """All curves for JSON."""
    return [
        {
            "stage": curve.stage,
            "axis": curve.axis.value,
            "exponent": curve.exponent,
            "points": [
                {**vars(point), "size": point.size.count, "days": point.size.days}
                for point in curve.points
            ],
        }
        for curve in curves
    ]


def as_table(curves: Sequence[Curve], axis: Axis) -> Table:
    """The curves of an axis, a line a point."""
    heads = ("stage", str(axis), "wall s", "CPU s", "Python MiB", "Java MiB", "exponent")
    table = Table(*heads, title=f"by {axis}; exponents of CPU seconds, at most {FLOOR}")
    for column in table.columns[1:]:
        column.justify = "right"
    for curve in curves:
        if curve.axis is not axis:
            continue
        for at, point in enumerate(curve.points):
            is_last = at == len(curve.points) - 1
            table.add_row(
                "" if at else curve.stage,
                f"{point.size.count:,}",
                f"{point.seconds:,.1f}",
                f"{point.cpu_seconds:,.1f}",
                f"{point.python_peak / _MIB:,.0f}",
                f"{point.java_peak / _MIB:,.0f}",
                _shown(curve.exponent) if is_last else "",
            )
        table.add_section()
    return table


def _shown(value: float | None) -> str:
    if value is None:
        return "too small"
    mark = "" if value <= AIM else " (floor)" if value <= FLOOR else " (ABOVE)"
    return f"{value:.2f}{mark}"
