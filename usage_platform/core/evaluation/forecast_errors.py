"""How good forecasts are: their errors beside those of simple ones, their ranges, their warnings.

Belongs here: forecasts of every past local day by what was known at its midnight, compared with
what came. Not here: the forecast (`core.forecast`), the boosted trees (`boosted_trees`), printing.

The simple ones are persistence: they repeat the day before, and the day a week before. A method is
measured on the readings of which every method has a forecast.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.evaluation.boosted_trees import boosted_power, boosted_probability
from usage_platform.core.forecast.day_ahead import WindowForecasts, forecast_windows
from usage_platform.core.forecast.month_end import energy_ahead
from usage_platform.core.forecast.peak import peak_probability
from usage_platform.core.forecast.peak_warning import WORKING_DAYS_BEFORE, working_days_before
from usage_platform.core.forecast.ranges import range_of
from usage_platform.core.forecast.windows import Windows, cut_windows
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.day_numbers import day_of
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.core.time.units import NS_A_MINUTE

FIRST_DAY = 90
"""Days of history before the first forecast that is measured."""

_WEEK = 7
_MONTH_AHEAD = 15


@dataclass(frozen=True)
class Errors:
    """The errors of one method.

    Attributes:
        mae: Mean absolute error, kW.
        rmse: Root of the mean squared error, kW.
        wape: Sum of the absolute errors by the sum of the readings.
    """

    mae: float
    rmse: float
    wape: float


@dataclass(frozen=True, eq=False)
class PeakWarnings:
    """For each day after the first of its month: whether it brought a new peak of the month.

    Attributes:
        came: bool, shape (days,).
        probabilities: By method, shape (days,): what it gave for that at midnight.
        can_warn: bool, shape (days,): whether enough working days of the month lay before it.
    """

    came: npt.NDArray[np.bool_]
    probabilities: Mapping[str, Floats]
    can_warn: npt.NDArray[np.bool_]

    @property
    def later(self) -> "PeakWarnings":
        """Only the days that can have a warning."""
        chosen = {name: given[self.can_warn] for name, given in self.probabilities.items()}
        return PeakWarnings(self.came[self.can_warn], chosen, self.can_warn[self.can_warn])

    def warned(self, method: str, threshold: float) -> int:
        """The number of warnings from a probability on."""
        return int(np.count_nonzero(self.probabilities[method] >= threshold))

    def rates(self, method: str, threshold: float) -> tuple[float, float]:
        """Precision and recall of warnings from a probability on; NaN without a warning."""
        warned = self.probabilities[method] >= threshold
        hits = np.count_nonzero(warned & self.came)
        warnings = self.warned(method, threshold)
        precision = hits / warnings if warnings else float("nan")
        return float(precision), float(hits / max(1, np.count_nonzero(self.came)))

    def best_precision(self, method: str, recall: float) -> float:
        """The highest precision of any threshold that reaches a recall; NaN without a new peak."""
        if not self.came.any():
            return float("nan")
        rates = [self.rates(method, float(one)) for one in np.unique(self.probabilities[method])]
        return max(precision for precision, reached in rates if reached >= recall)


@dataclass(frozen=True, eq=False)
class ForecastErrors:
    """What forecasts of every day of a series came to.

    Attributes:
        days: Days measured.
        errors: By method.
        coverage: Share of the readings within their range.
        width: Mean width of the range, as a share of the mean reading.
        energy_error: Median absolute error of the energy of fifteen days ahead, as a share of it.
        energy_coverage: Share of those energies within their range.
        peaks: The warnings of a new peak.
    """

    days: int
    errors: Mapping[str, Errors]
    coverage: float
    width: float
    energy_error: float
    energy_coverage: float
    peaks: PeakWarnings


def forecast_errors(series: Series, meter: Meter, calendar: Calendar) -> ForecastErrors:
    """Forecast every local day of a series at its midnight, and compare.

    Args:
        series: The readings; half a year or more.
        meter: The meter.
        calendar: Its rest days.

    Raises:
        ValueError: Without a reading.
    """
    made = forecast_windows(_local_days(series, meter, calendar))
    values = made.windows.values
    rows = np.arange(FIRST_DAY, len(values) - 1)
    powers = {
        "forecast": made.power,
        "previous day": _days_before(values, 1),
        "previous week": _days_before(values, _WEEK),
        "boosted trees": boosted_power(made.windows, FIRST_DAY),
    }
    known = np.isfinite(values[rows])
    for power in powers.values():
        known &= np.isfinite(power[rows])
    errors = {name: _errors(values[rows], power[rows], known) for name, power in powers.items()}
    coverage, width = _coverage(made, rows)
    energy_error, energy_coverage = _energies(made, rows)
    return ForecastErrors(
        days=int(known.any(axis=1).sum()),
        errors=errors,
        coverage=coverage,
        width=width,
        energy_error=energy_error,
        energy_coverage=energy_coverage,
        peaks=_peaks(made, rows),
    )


def errors_of_last_days(
    series: Series, meter: Meter, calendar: Calendar, days: int
) -> Mapping[str, Errors] | None:
    """The errors of the forecasts of the last whole local days, each made at its midnight.

    Args:
        series: The readings; those of `day_ahead.HISTORY_DAYS` before these days are enough.
        meter: The meter.
        calendar: Its rest days.
        days: How many days.

    Returns:
        Of `forecast` and of `previous week`; None where no reading has a forecast of both.
    """
    if not len(series.instants):
        return None
    end = pd.Timestamp(int(series.instants[-1]) + meter.interval_minutes * NS_A_MINUTE, tz="UTC")
    midnight = local_day_bounds(end.tz_convert(meter.zone).date(), meter.timezone)[0]
    windows = cut_windows(series, meter, calendar, midnight.value)
    if windows is None or len(windows.values) <= days + _WEEK:
        return None
    made = forecast_windows(windows, days + 1)
    rows = slice(-1 - days, -1)
    values = windows.values[rows]
    powers = {
        "forecast": made.power[rows],
        "previous week": _days_before(windows.values, _WEEK)[rows],
    }
    known = np.isfinite(values)
    for power in powers.values():
        known &= np.isfinite(power)
    if not known.any():
        return None
    return {name: _errors(values, power, known) for name, power in powers.items()}


def _local_days(series: Series, meter: Meter, calendar: Calendar) -> Windows:
    """The whole local days of a series, and one after them."""
    if not len(series.instants):
        raise ValueError(f"meter {meter.name}: no readings; give at least half a year of them")
    newest = pd.Timestamp(int(series.instants[-1]), tz="UTC").tz_convert(meter.zone).date()
    windows = cut_windows(
        series, meter, calendar, local_day_bounds(newest, meter.timezone)[0].value
    )
    if windows is None:
        raise ValueError(f"meter {meter.name}: no whole day; give at least half a year of readings")
    return windows


def _days_before(values: Floats, days: int) -> Floats:
    shifted = np.full_like(values, np.nan)
    shifted[days:] = values[:-days]
    return shifted


def _errors(values: Floats, power: Floats, known: npt.NDArray[np.bool_]) -> Errors:
    missed = np.abs(values - power)[known]
    return Errors(
        mae=float(missed.mean()),
        rmse=float(np.sqrt((missed**2).mean())),
        wape=float(missed.sum() / np.abs(values[known]).sum()),
    )


def _coverage(made: WindowForecasts, rows: Ints) -> tuple[float, float]:
    """Share of readings in their range, and the range's mean width by the mean reading."""
    inside = count = 0
    widths: list[float] = []
    for row in rows:
        limits = range_of(made, int(row))
        if limits is None:
            continue
        values = made.windows.values[row]
        inside += np.count_nonzero((values >= limits[0]) & (values <= limits[1]))
        count += np.count_nonzero(~np.isnan(values))
        widths.append(float((limits[1] - limits[0]).mean()))
    return inside / max(1, count), float(np.mean(widths) / np.nanmean(made.windows.values))


def _energies(made: WindowForecasts, rows: Ints) -> tuple[float, float]:
    """Error and coverage of the energy of fifteen days ahead."""
    values, per_hour = made.windows.values, made.windows.meter.readings_per_hour
    missed: list[float] = []
    inside: list[bool] = []
    for row in rows:
        ahead = energy_ahead(made, int(row), _MONTH_AHEAD * values.shape[1])
        came = values[row : row + _MONTH_AHEAD]
        if ahead is None or len(came) < _MONTH_AHEAD or np.isnan(came).mean() > 0.01:
            continue
        kwh = float(np.nanmean(came)) * came.size / per_hour
        missed.append(abs(ahead.kwh - kwh) / kwh)
        inside.append(ahead.low_kwh <= kwh <= ahead.high_kwh)
    return float(np.median(missed)), float(np.mean(inside))


def _peaks(made: WindowForecasts, rows: Ints) -> PeakWarnings:
    """The warnings of each day after the first of its month."""
    windows = made.windows
    dates = (windows.first_day + np.arange(len(windows.values))).astype("datetime64[D]")
    month = dates.astype("datetime64[M]")
    highest = np.fmax.reduce(windows.values, axis=1)
    used: list[int] = []
    peaks: list[float] = []
    given: list[float] = []
    for row in rows:
        first = int(np.searchsorted(month, month[row]))
        before = highest[first:row]
        if not np.isfinite(before).any() or not np.isfinite(highest[row]):
            continue
        peak = float(np.nanmax(before))
        probability = peak_probability(made, int(row), peak)
        if probability is not None:
            used.append(int(row))
            peaks.append(peak)
            given.append(probability)
    days, so_far = np.array(used, dtype=np.int64), np.array(peaks)
    came = highest[days] > so_far
    probability = np.array(given)
    trees = boosted_probability(made, days, so_far, probability, came)
    first = day_of(windows.first_day)
    before = [working_days_before(first + timedelta(days=row), windows.calendar) for row in used]
    return PeakWarnings(
        came,
        {"forecast": probability, "boosted trees": trees},
        np.array(before) >= WORKING_DAYS_BEFORE,
    )
