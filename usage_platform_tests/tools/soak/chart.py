"""The picture of a soak: each series over time, those that rise in red."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt

from usage_platform_tests.tools.soak.judgement import Judgement, Outcome
from usage_platform_tests.tools.soak.series import SERIES, Sample

_ACROSS = 4
_COLOURS = {Outcome.FLAT: "tab:blue", Outcome.RISES: "tab:red", Outcome.UNKNOWN: "tab:gray"}


def draw(samples: Sequence[Sample], judgements: Mapping[str, Judgement], to: Path) -> None:
    """Draw all series, as they are judged, into a PNG."""
    down = -(-len(SERIES) // _ACROSS)
    figure, axes = plt.subplots(down, _ACROSS, figsize=(4 * _ACROSS, 2.2 * down), sharex=True)
    minutes = [sample.minute for sample in samples]
    for plot, series in zip(axes.flat, SERIES, strict=False):
        outcome = judgements[series.name].outcome
        plot.plot(minutes, series.of(samples), ".-", color=_COLOURS[outcome])
        plot.set_title(f"{series.name}: {outcome}", fontsize=9)
        plot.set_ylabel(f"{series.unit} {series.per}".strip(), fontsize=7)
        plot.set_ylim(bottom=0)
        plot.axvspan(minutes[-1] / 2, minutes[-1], color="0.95", zorder=0)
        plot.tick_params(labelsize=7)
    for plot in list(axes.flat)[len(SERIES) :]:
        plot.set_visible(False)
    figure.supxlabel("minutes; the shaded half is judged", fontsize=9)
    figure.tight_layout()
    figure.savefig(to, dpi=110)
    plt.close(figure)
