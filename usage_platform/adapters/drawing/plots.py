"""Small pictures for people: PNG bytes of a few kilobytes.

Belongs here: drawing. matplotlib is imported when a picture is made.
"""

import io
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.time.clock_hours import clock_hours

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
INK = "#16324f"


def weekday_profile(readings: pd.DataFrame, meter: Meter) -> bytes:
    """Mean power by weekday and local time of day.

    Args:
        readings: `event_time` (datetime64[ns, UTC]), `value` (kW).
        meter: Gives the time zone and the interval.
    """
    local = readings["event_time"].dt.tz_convert(meter.timezone)
    steps = (local.dt.hour * 60 + local.dt.minute) // meter.interval_minutes
    grid = readings["value"].groupby([local.dt.weekday, steps]).mean().unstack()
    grid = grid.reindex(range(7))
    figure, axes = new_figure(6.4, 2.6)
    image = axes.imshow(
        grid.to_numpy(),
        aspect="auto",
        extent=(0, 24, 6.5, -0.5),
        cmap="cividis",
        interpolation="none",
    )
    axes.set_yticks(range(7), WEEKDAYS)
    axes.set_xticks(range(0, 25, 3))
    axes.set_xlabel(f"local time of day ({meter.timezone}), hours")
    axes.set_title(f"{meter.name}: mean power", loc="left")
    figure.colorbar(image, ax=axes, label=meter.unit)
    return png_of(figure)


def month_of_hours(hours: pd.DataFrame, registry: MeterRegistry) -> bytes:
    """Hourly mean power of the first meter, with each hour's minimum and maximum.

    Args:
        hours: Rows of `usage_hourly`.
        registry: Gives the meter's time zone and unit.
    """
    name = sorted(hours["meter"].unique())[0]
    meter = registry.get(name)
    zone = meter.timezone
    own = hours[hours["meter"] == name].set_index("start").sort_index()
    starts = clock_hours(zone).between(own.index[0].value, own.index[-1].value + 1)
    own = own.reindex(pd.to_datetime(starts, utc=True))
    local = own.index.tz_convert(zone).tz_localize(None)
    figure, axes = new_figure(7.2, 2.6)
    axes.fill_between(local, own["min_usage"], own["max_usage"], color="#9db8d2", linewidth=0)
    axes.plot(local, own["avg_usage"], color=INK, linewidth=1)
    axes.set_ylabel(meter.unit)
    from_zero(axes, own["min_usage"])
    axes.set_title(f"{name}: hourly mean, minimum to maximum ({zone})", loc="left")
    axes.margins(x=0.01)
    figure.autofmt_xdate()
    return png_of(figure)


def from_zero(axes: "Axes", powers: npt.ArrayLike) -> None:
    """Let an axis of power begin at 0, or below the export of a net meter.

    Args:
        axes: The axes.
        powers: The lowest that is drawn, kW; NaN where there is none.
    """
    known = np.asarray(powers, dtype=np.float64)
    least = float(np.nanmin(known)) if np.isfinite(known).any() else 0.0
    axes.set_ylim(bottom=min(0.0, 1.06 * least))


def new_figure(width: float, height: float):  # noqa: ANN201 - matplotlib's types are imported late
    """A figure and its axes, sizes in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    return figure, axes


def png_of(figure: "Figure") -> bytes:
    """A figure as PNG; its texts are drawn as they are, as the name of a meter may hold a `$`."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_parse_math(False)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=80, pil_kwargs={"optimize": True})
    return out.getvalue()
