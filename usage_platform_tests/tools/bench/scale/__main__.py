"""Measures how the cost of each stage grows: `make bench-scale`."""

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

from rich.console import Console

from usage_platform_tests.tools.bench.ingestion import put
from usage_platform_tests.tools.bench.scale.chart import draw
from usage_platform_tests.tools.bench.scale.curve import (
    Axis,
    Curve,
    Point,
    Size,
    as_json,
    as_table,
)
from usage_platform_tests.tools.bench.scale.exponent import expected_cost
from usage_platform_tests.tools.bench.scale.measuring import measured_apart
from usage_platform_tests.tools.bench.scale.place import prepared
from usage_platform_tests.tools.bench.scale.stages import STAGES
from usage_platform_tests.tools.bench.workbench import Workbench, workbench

SIZES = {Axis.METERS: (1, 10, 100, 1_000, 10_000), Axis.MONTHS: (1, 3, 12, 36)}
_MOST_SECONDS = 60.0
_PUBLISH = "publish"
_WARM_METERS = 20


def main() -> None:
    """Measure all stages at all sizes, and print, draw and fit them."""
    parser = argparse.ArgumentParser(
        prog="make bench-scale", description="Measure how the cost of each stage grows."
    )
    parser.add_argument("--largest", type=int, default=1_000, help="most meters (1,000)")
    parser.add_argument("--longest", type=int, default=12, help="most months (12)")
    parser.add_argument(
        "--seconds",
        type=float,
        default=_MOST_SECONDS,
        help="a stage is not measured at a size that would take longer (60)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--pictures", type=Path, help="a folder for the pictures")
    given = parser.parse_args()
    most = {Axis.METERS: given.largest, Axis.MONTHS: given.longest}
    with workbench() as bench:
        _warm(bench)
        curves = [
            curve
            for axis, sizes in SIZES.items()
            for curve in _along(bench, axis, [n for n in sizes if n <= most[axis]], given.seconds)
        ]
    if given.pictures:
        for axis in Axis:
            draw(curves, axis, given.pictures / f"scale-{axis}.png")
    if given.json:
        print(json.dumps(as_json(curves), indent=2))
        return
    console = Console(width=120)
    for axis in Axis:
        console.print(as_table(curves, axis))


def _warm(bench: Workbench) -> None:
    """Let Spark work once: a JVM that has just started interprets its code, which costs more."""
    _say(f"warming Spark up with {_WARM_METERS} meters")
    place = prepared(bench, Size(Axis.METERS, _WARM_METERS))
    put(place.kafka, place.events())
    for name in ("ingest", "hours"):
        measured_apart(name, place)


def _along(bench: Workbench, axis: Axis, counts: list[int], most_seconds: float) -> list[Curve]:
    points: dict[str, list[Point]] = {
        name: [] for name, stage in STAGES.items() if axis in stage.axes
    }
    for count in counts:
        size = Size(axis, count)
        due = [name for name in points if _is_due(points[name], count, most_seconds)]
        if not due:
            break
        _say(f"{count:,} {axis}: preparing")
        place = prepared(bench, size)
        if _PUBLISH not in due:
            put(place.kafka, place.events())
        for name in due:
            point = measured_apart(name, place)
            points[name].append(point)
            _say(f"{count:,} {axis}: {name}: {point.seconds:.1f} s, CPU {point.cpu_seconds:.1f} s")
    return [Curve(name, axis, tuple(found)) for name, found in points.items()]


def _is_due(points: list[Point], count: int, most_seconds: float) -> bool:
    work = [float(point.size.count) for point in points]
    expected = expected_cost(work, [point.seconds for point in points], count)
    return expected is None or expected <= most_seconds


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
