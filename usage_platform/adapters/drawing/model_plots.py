"""Small pictures of a model: what it expects, how it scored the last weeks, where its bar stands.

Belongs here: drawing. matplotlib is imported when a picture is made.
"""

import numpy as np
import pandas as pd

from usage_platform.adapters.drawing.plots import INK, WEEKDAYS, from_zero, new_figure, png_of
from usage_platform.core.detector.describe import expected_range
from usage_platform.core.detector.manifest import Detector
from usage_platform.core.meters import Meter

_RANGE, _ODD = "#9db8d2", "#c8102e"
_BINS = 60
_LARGEST_SCORE = 3.0


def expected_week(detector: Detector) -> bytes:
    """The expected power of each slot over a week with its ordinary range, Monday to Sunday."""
    meter = detector.meter
    low, middle, high = expected_range(detector)
    days = np.arange(len(middle)) / (24 * meter.readings_per_hour)
    figure, axes = new_figure(7.2, 2.6)
    axes.fill_between(days, low, high, color=_RANGE, linewidth=0)
    axes.plot(days, middle, color=INK, linewidth=0.8)
    axes.set_xticks(np.arange(7) + 0.5, WEEKDAYS)
    axes.set_xlim(0, 7)
    axes.set_ylabel(meter.unit)
    from_zero(axes, low)
    axes.set_title(f"{meter.name}: expected range by slot", loc="left")
    return png_of(figure)


def range_map(detector: Detector) -> bytes:
    """How wide the ordinary range is at each weekday and time of day, as a share of the power."""
    meter = detector.meter
    low, middle, high = expected_range(detector)
    share = np.full(len(middle), np.nan)
    np.divide(high - low, np.abs(middle), out=share, where=np.isfinite(middle) & (middle != 0))
    figure, axes = new_figure(7.2, 2.6)
    image = axes.imshow(
        100 * share.reshape(7, -1),
        aspect="auto",
        extent=(0, 24, 6.5, -0.5),
        cmap="cividis",
        vmin=0,
        interpolation="none",
    )
    axes.set_yticks(range(7), WEEKDAYS)
    axes.set_xticks(range(0, 25, 3))
    axes.set_xlabel(f"local time of day ({meter.timezone}), hours")
    axes.set_title(f"{meter.name}: width of the expected range", loc="left")
    figure.colorbar(image, ax=axes, label="% of the power")
    return png_of(figure)


def last_weeks(scored: pd.DataFrame, meter: Meter) -> bytes:
    """Readings with the range in which they were expected, and the anomalies marked.

    Args:
        scored: The columns of `core.detector.score.score`.
        meter: Gives the time zone.
    """
    local = scored["ts"].dt.tz_convert(meter.timezone).dt.tz_localize(None)
    odd = scored["flagged"].to_numpy(np.bool_)
    figure, axes = new_figure(7.2, 2.6)
    axes.fill_between(local, scored["low"], scored["high"], color=_RANGE, linewidth=0)
    axes.plot(local, scored["value"], color=INK, linewidth=0.7)
    axes.plot(local[odd], scored["value"][odd], ".", color=_ODD, markersize=4)
    axes.set_ylabel(meter.unit)
    from_zero(axes, scored["value"])
    axes.set_title(f"{meter.name}: expected range, readings, anomalies ({odd.sum()})", loc="left")
    axes.margins(x=0.01)
    figure.autofmt_xdate()
    return png_of(figure)


def score_distribution(scored: pd.DataFrame, meter: Meter) -> bytes:
    """How the scores of readings lie below the bar, which is 1.

    Args:
        scored: The columns of `core.detector.score.score`.
        meter: For the title.
    """
    scores = np.minimum(scored["score"].to_numpy(np.float64), _LARGEST_SCORE)
    figure, axes = new_figure(6.4, 2.2)
    axes.hist(
        scores, bins=np.linspace(0, _LARGEST_SCORE, _BINS + 1).tolist(), color=_RANGE, log=True
    )
    axes.axvline(1.0, color=_ODD, linewidth=1)
    axes.set_xlabel(f"score; the bar is 1, larger ones count as {_LARGEST_SCORE:g}")
    axes.set_ylabel("readings")
    axes.set_title(f"{meter.name}: scores of the last weeks", loc="left")
    return png_of(figure)
