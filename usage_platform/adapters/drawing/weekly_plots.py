"""The picture of the weekly mail.

Belongs here: drawing. matplotlib is imported when a picture is made. Not here: the figures
(`core.alerts.weekly_summary`), other pictures (`month_plots`).
"""

from datetime import UTC, timedelta

import numpy as np

from usage_platform.adapters.drawing.plots import INK, png_of
from usage_platform.core.alerts.weekly_summary import WeekRow, WeekSummary

_BAR, _ABOVE = "#9db8d2", "#c8102e"
_MOST_BARS = 10
_LONGEST_NAME = 28
_NOTABLE = 0.1
"""A share above the expected energy from which on a bar is red."""


def week_picture(summary: WeekSummary) -> bytes:
    """Power of all meters over the week above; energy against the expected energy below."""
    from matplotlib.dates import DateFormatter, DayLocator
    from matplotlib.figure import Figure

    bars = [row for row in (summary.groups or summary.meters) if row.kwh == row.kwh][:_MOST_BARS]
    height = 0.34 * max(len(bars), 1) + 0.9
    figure = Figure(figsize=(7.2, 2.3 + height), layout="constrained")
    above, below = figure.subplots(2, height_ratios=(2.3, height))
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    end, zone = summary.end.astimezone(UTC), summary.end.tzinfo
    count = len(summary.hourly_kw)
    hours = [end - timedelta(hours=count - at) for at in range(count)]
    above.plot(hours, summary.hourly_kw, color=INK, linewidth=1, drawstyle="steps-post")
    above.set_ylim(bottom=min(0.0, float(np.nanmin(summary.hourly_kw, initial=0.0))))
    above.set_ylabel("kW", fontsize=8)
    above.xaxis.set_major_locator(DayLocator(tz=zone))
    above.xaxis.set_major_formatter(DateFormatter("%a %d", tz=zone))
    above.margins(x=0.01)
    above.set_title("All meters together, hourly mean", loc="left", fontsize=9)
    _draw_bars(below, bars)
    return png_of(figure)


def _draw_bars(axes, bars: list[WeekRow]) -> None:  # noqa: ANN001 - matplotlib is imported late
    places = np.arange(len(bars))
    colors = [
        _ABOVE if row.expected_kwh > 0 and row.deviation_kwh > _NOTABLE * row.expected_kwh else _BAR
        for row in bars
    ]
    axes.barh(places, [row.kwh for row in bars], color=colors, height=0.62)
    for place, row in zip(places, bars, strict=True):
        # What was expected of all of its hours, also of those that are not compared.
        usual = row.kwh - row.deviation_kwh
        axes.plot([usual, usual], [place - 0.4, place + 0.4], color=INK, linewidth=2)
    axes.set_yticks(places, [_short(row.name) for row in bars])
    axes.invert_yaxis()
    axes.set_xlabel("kWh", fontsize=8)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    title = "Energy of the week; line: expected; red: more than 10 % above it"
    axes.set_title(title, loc="left", fontsize=9)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
