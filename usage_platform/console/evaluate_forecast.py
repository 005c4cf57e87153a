"""The tables of `make eval` about forecasts.

Belongs here: printing. Not here: the series (`evaluate`), the errors
(`core.evaluation.forecast_errors`).
"""

import time

import numpy as np
import pandas as pd

from usage_platform.console.screen import Screen, table
from usage_platform.core.anomalies.peak_messages import MEDIUM_FROM
from usage_platform.core.evaluation.forecast_errors import ForecastErrors, forecast_errors
from usage_platform.core.forecast.day_ahead import HISTORY_DAYS
from usage_platform.core.forecast.forecast import forecast
from usage_platform.core.forecast.peak_warning import WARNED_FROM, WORKING_DAYS_BEFORE
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.units import NS_A_DAY, instants_of

_THRESHOLDS = (0.1, 0.15, 0.2, 0.3, 0.5)
_RECALL = 0.8


def print_forecasts(
    screen: Screen, name: str, readings: pd.DataFrame, meter: Meter, calendar: Calendar
) -> None:
    """Errors, coverage and peak warnings of the forecasts of every day of a series.

    Args:
        screen: Where the tables go.
        name: What the series is called.
        readings: ts (datetime64[ns, UTC]), value (kW).
        meter: The meter.
        calendar: Its rest days.
    """
    screen.progress(f"{name}: forecasts")
    series = Series(instants_of(readings.loc[:, "ts"]), readings["value"].to_numpy(float))
    found = forecast_errors(series, meter, calendar)
    begin = time.process_time()
    until = int(series.instants[-1])
    forecast(series.since(until - HISTORY_DAYS * NS_A_DAY), meter, calendar, until)
    taken = time.process_time() - begin
    screen.quiet()
    _print_errors(screen, f"{name}: forecasts of {found.days:,} days", found)
    _print_ranges(screen, f"{name}: ranges", found, taken)
    _print_peaks(screen, name, found)


def _print_errors(screen: Screen, title: str, found: ForecastErrors) -> None:
    heads = ("MAE kW", "RMSE kW", "WAPE")
    shown = table(title, "method", *heads, numbers=heads)
    for name, one in found.errors.items():
        shown.add_row(name, f"{one.mae:.2f}", f"{one.rmse:.2f}", f"{one.wape:.4f}")
    screen.console.print(shown)


def _print_ranges(screen: Screen, title: str, found: ForecastErrors, taken: float) -> None:
    shown = table(title, "what", "figure", numbers=("figure",))
    shown.add_row("readings in their range of 90 %", f"{found.coverage:.1%}")
    shown.add_row("mean width of the range, of the mean reading", f"{found.width:.1%}")
    shown.add_row("median error of the energy of 15 days ahead", f"{found.energy_error:.1%}")
    shown.add_row("energies of 15 days in their range of 90 %", f"{found.energy_coverage:.1%}")
    shown.add_row("one forecast of the meter, CPU s", f"{taken:.2f}")
    screen.console.print(shown)


def _print_peaks(screen: Screen, name: str, found: ForecastErrors) -> None:
    peaks = found.peaks
    title = f"{name}: {peaks.came.sum():,} new peaks of the month on {len(peaks.came):,} days"
    methods = tuple(peaks.probabilities)
    shown = table(title, "warning from, precision / recall", *methods, numbers=methods)
    for threshold in _THRESHOLDS:
        rates = [peaks.rates(method, threshold) for method in methods]
        shown.add_row(f"{threshold:.2f}", *(f"{one:.2f} / {two:.2f}" for one, two in rates))
    best = [f"{peaks.best_precision(method, _RECALL):.2f}" for method in methods]
    shown.add_row(f"best precision at a recall of {_RECALL}", *best)
    later = peaks.later
    new, days = np.count_nonzero(later.came), len(later.came)
    shown.add_section()
    shown.add_row(f"after {WORKING_DAYS_BEFORE} working days: {new:,} on {days:,} days", "", "")
    for threshold in (WARNED_FROM, MEDIUM_FROM):
        rates = [later.rates(method, threshold) for method in methods]
        warned = later.warned("forecast", threshold)
        name = f"{threshold:.2f}, {warned:,} warnings of the forecast"
        shown.add_row(name, *(f"{one:.2f} / {two:.2f}" for one, two in rates))
    screen.console.print(shown)
