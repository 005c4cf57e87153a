import io
import json

from rich.console import Console

from usage_platform_tests.tools.bench.scale.chart import draw
from usage_platform_tests.tools.bench.scale.curve import (
    Axis,
    Curve,
    Point,
    Size,
    as_json,
    as_table,
)

MIB = 2**20


def curve(stage, axis, costs):
    points = [
        Point(Size(axis, 10**at), cost / 2, cost, 100 * MIB, 0) for at, cost in enumerate(costs)
    ]
    return Curve(stage, axis, tuple(points))


LINEAR = curve("ingest", Axis.METERS, [3.0, 12.0, 102.0, 1002.0])
SQUARE = curve("score", Axis.METERS, [1.0, 100.0, 10_000.0])
FLAT = curve("fleet", Axis.MONTHS, [2.0, 2.0, 2.0])


def cells(axis):
    out = io.StringIO()
    Console(file=out, width=120).print(as_table([LINEAR, SQUARE, FLAT], axis))
    return [
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in out.getvalue().splitlines()
        if line.startswith("│")
    ]


def test_a_size_is_a_day_of_many_meters_or_many_months_of_one():
    assert (Size(Axis.METERS, 100).meters, Size(Axis.METERS, 100).days) == (100, 1)
    assert (Size(Axis.MONTHS, 12).meters, Size(Axis.MONTHS, 12).days) == (1, 360)


def test_the_table_of_an_axis_has_the_exponent_at_the_last_point_of_a_stage():
    rows = cells(Axis.METERS)
    assert rows[3] == ["", "1,000", "501.0", "1,002.0", "100", "0", "1.00"]
    assert [row[0] for row in rows] == ["ingest", "", "", "", "score", "", ""]
    assert rows[-1][-1].endswith("(ABOVE)")
    assert [row[-1] for row in cells(Axis.MONTHS)] == ["", "", "too small"]


def test_json_has_a_curve_by_stage_and_axis_with_its_points():
    found = json.loads(json.dumps(as_json([LINEAR])))
    assert found[0] | {"exponent": None, "points": []} == {
        "stage": "ingest",
        "axis": "meters",
        "exponent": None,
        "points": [],
    }
    assert found[0]["exponent"] == LINEAR.exponent
    assert found[0]["points"][1] == {
        "size": 10,
        "days": 1,
        "seconds": 6.0,
        "cpu_seconds": 12.0,
        "python_peak": 100 * MIB,
        "java_peak": 0,
    }


def test_the_curves_are_drawn(tmp_path):
    draw([LINEAR, SQUARE, FLAT], Axis.METERS, tmp_path / "scale.png")
    assert (tmp_path / "scale.png").read_bytes().startswith(b"\x89PNG")
