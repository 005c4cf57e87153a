"""The curves as pictures: CPU seconds by size, both axes logarithmic."""

from collections.abc import Sequence
from pathlib import Path

from usage_platform.adapters.drawing.plots import INK, new_figure, png_of
from usage_platform_tests.tools.bench.scale.curve import Axis, Curve

_COLOURS = (
    *(INK, "#c8102e", "#d98032", "#2e7d32", "#7b1fa2"),
    *("#00838f", "#6d4c41", "#9e9d24", "#5c6bc0"),
)
_MARKS = "osD^v<>Ph"


def draw(curves: Sequence[Curve], axis: Axis, to: Path) -> None:
    """Draw the curves of an axis with their exponents into a PNG.

    Args:
        curves: All curves.
        axis: Whose.
        to: The file.
    """
    figure, axes = new_figure(7.2, 4.4)
    shown = [curve for curve in curves if curve.axis is axis and curve.points]
    for curve, colour, mark in zip(shown, _COLOURS, _MARKS, strict=False):
        slope = curve.exponent
        name = curve.stage if slope is None else f"{curve.stage}, exponent {slope:.2f}"
        cost = [point.cpu_seconds for point in curve.points]
        axes.plot(curve.work, cost, color=colour, marker=mark, linewidth=1, label=name)
    if shown:
        sizes = sorted({size for curve in shown for size in curve.work})
        least = min(point.cpu_seconds for curve in shown for point in curve.points)
        line = [least * size / sizes[0] for size in sizes]
        axes.plot(sizes, line, color="0.6", linestyle=":", linewidth=1, label="exponent 1")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(str(axis))
    axes.set_ylabel("CPU seconds of all processes")
    axes.set_title(f"Cost of each stage by {axis}", loc="left")
    axes.grid(visible=True, which="major", color="0.9")
    axes.legend(fontsize=7, frameon=False)
    to.write_bytes(png_of(figure))
