"""The pictures of the profile report.

Belongs here: drawing. matplotlib is imported when a picture is made. Not here: what is drawn
(`core.load.month`), pictures of models (`model_plots`).
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from usage_platform.adapters.drawing.plots import INK, from_zero, new_figure, png_of
from usage_platform.core.detector.score import not_below
from usage_platform.core.load.month import Profile, UnusualDay
from usage_platform.core.meters import Meter

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_RANGE, _ODD, _REST = "#9db8d2", "#c8102e", "#d98032"
_BINS = 60
_SATURDAY = 5


def month_map(profile: Profile) -> bytes:
    """Every reading of the month, a row a day; what is missing stays white."""
    local = pd.DatetimeIndex(profile.series.instants).tz_localize("UTC")
    local = local.tz_convert(profile.meter.zone)
    steps = (local.hour * 60 + local.minute) // profile.meter.interval_minutes
    last = profile.month.last.day
    grid = np.full((last, 24 * profile.meter.readings_per_hour), np.nan)
    grid[local.day - 1, steps] = profile.series.values
    figure, axes = new_figure(7.2, 3.6)
    image = axes.imshow(
        grid, aspect="auto", extent=(0, 24, last + 0.5, 0.5), cmap="cividis", interpolation="none"
    )
    axes.set_xticks(range(0, 25, 3))
    axes.set_xlabel(f"local time of day ({profile.meter.timezone}), hours")
    axes.set_ylabel("day of the month")
    axes.set_title("Every reading of the month; white where there is none", loc="left")
    figure.colorbar(image, ax=axes, label=profile.meter.unit)
    return png_of(figure)


def seasons(days: pd.DataFrame, profile: Profile) -> bytes:
    """Daily mean and extremes of the last thirteen months, this month marked.

    Args:
        days: From `core.load.seasons.daily_means`.
        profile: The month.
    """
    from matplotlib.dates import date2num

    figure, axes = new_figure(7.2, 2.6)
    axes.fill_between(days["day"], days["low"], days["high"], color=_RANGE, linewidth=0)
    axes.plot(days["day"], days["mean"], color=INK, linewidth=0.8)
    first, last = (date2num(day) for day in (profile.month.first, profile.month.last))
    axes.axvspan(first, last + 1, color=_REST, alpha=0.25, linewidth=0)
    axes.set_ylabel(profile.meter.unit)
    # One gross reading would press all days of the year to the ground.
    top = max(1.2 * float(days["high"].quantile(0.98)), 0.0) or 1.0
    is_cut = bool((days["high"] > top).any())
    from_zero(axes, days["low"])
    axes.set_ylim(top=top)
    more = "; single peaks go further up" if is_cut else ""
    axes.set_title(f"Daily mean, lowest to highest; this month shaded{more}", loc="left")
    axes.margins(x=0.01)
    figure.autofmt_xdate()
    return png_of(figure)


def distribution(profile: Profile) -> bytes:
    """How often each power was read, on Mondays to Fridays and at weekends."""
    local = pd.DatetimeIndex(profile.series.instants).tz_localize("UTC")
    weekend = local.tz_convert(profile.meter.zone).weekday >= _SATURDAY
    values = profile.series.values
    hours = np.full(len(values), profile.meter.interval_minutes / 60)
    edges = np.histogram_bin_edges(values, _BINS).tolist()
    figure, axes = new_figure(7.2, 2.4)
    axes.hist(
        [values[~weekend], values[weekend]],
        bins=edges,
        weights=[hours[~weekend], hours[weekend]],
        stacked=True,
        color=[_RANGE, _REST],
        label=["Monday to Friday", "weekend"],
    )
    for kw, what in ((profile.figures.base_kw, "base load"), (profile.figures.mean_kw, "mean")):
        axes.axvline(kw, color=INK, linewidth=1)
        axes.text(kw, 0.97, f" {what}", transform=axes.get_xaxis_transform(), va="top", fontsize=8)
    axes.margins(y=0.2)  # Room for the words.
    axes.set_xlabel(profile.meter.unit)
    axes.set_ylabel("hours")
    axes.set_title("Hours at each power", loc="left")
    axes.legend(frameon=False, fontsize=8, loc="upper right")
    return png_of(figure)


def unusual_days(profile: Profile) -> bytes:
    """The most unusual days over what is usual for them, one below the other."""
    from matplotlib.figure import Figure

    count = len(profile.unusual)
    figure = Figure(figsize=(7.2, 1.3 * count + 0.5), layout="constrained")
    rows = figure.subplots(count, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, one in zip(rows, profile.unusual, strict=True):
        _draw_day(axes, one, profile.meter)
    rows[-1].set_xticks(range(0, 25, 3))
    rows[-1].set_xlabel(f"local time of day ({profile.meter.timezone}), hours")
    from_zero(rows[0], np.concatenate([one.values for one in profile.unusual]))
    return png_of(figure)


def _draw_day(axes: "Axes", one: UnusualDay, meter: Meter) -> None:
    hours = np.arange(len(one.values)) * 24 / len(one.values)
    low = not_below(one.usual - 2 * one.spread, meter)
    axes.fill_between(hours, low, one.usual + 2 * one.spread, color=_RANGE, linewidth=0)
    axes.plot(hours, one.values, color=_ODD, linewidth=1)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.set_ylabel(meter.unit, fontsize=8)
    axes.set_xlim(0, 24)
    axes.set_title(
        f"{one.day:%a %-d %b}: {one.energy_kwh:+,.0f} {meter.unit.amount} against usual",
        loc="left",
        fontsize=9,
    )
