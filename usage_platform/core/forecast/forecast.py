"""The forecast of one meter at one moment: power, the month's energy, and its peak.

Belongs here: what a forecast says, put together from its parts. Not here: the parts (`day_ahead`,
`ranges`, `month_end`, `peak`), where readings come from.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.forecast.day_ahead import LEARNED_DAYS, WindowForecasts, forecast_windows
from usage_platform.core.forecast.month_end import EnergyRange, energy_ahead
from usage_platform.core.forecast.peak import PeakAhead, peak_ahead
from usage_platform.core.forecast.ranges import range_of
from usage_platform.core.forecast.windows import Windows, cut_windows
from usage_platform.core.load.month import Month
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.units import NS_A_MINUTE


@dataclass(frozen=True, eq=False)
class Forecast:
    """The next 24 hours of a meter, and its month; n intervals.

    Attributes:
        meter: The meter.
        made_at: When it was made, ns since 1970 UTC; no reading after that was used.
        instants: int64, shape (n,): interval starts, ns since 1970 UTC.
        power: float64, shape (n,): kW; NaN, as its range, at a time of day of which too little is
            known.
        low: float64, shape (n,): a reading is at least this high 95 % of the time, kW.
        high: float64, shape (n,): a reading is at most this high 95 % of the time, kW.
        month: The local month in which the forecast begins.
        used_kwh: Energy of that month's readings until `made_at`.
        month_energy: Energy of the whole month; None with too little history.
        peak_kw: The month's highest reading until `made_at`; None without a reading in the month.
        peak_probability: That a reading of the 24 hours is higher; None without such a reading.
        ahead: The distribution of the highest reading of the 24 hours; None with too little
            history.
    """

    meter: Meter
    made_at: int
    instants: Ints
    power: Floats
    low: Floats
    high: Floats
    month: Month
    used_kwh: float
    month_energy: EnergyRange | None
    peak_kw: float | None
    peak_probability: float | None
    ahead: PeakAhead | None

    @property
    def highest_at(self) -> int:
        """Start of the interval with the highest forecast power, ns since 1970 UTC."""
        return int(self.instants[np.nanargmax(self.power)])


def forecast(series: Series, meter: Meter, calendar: Calendar, made_at: int) -> Forecast | None:
    """Forecast the 24 hours of the wall clock from a moment on.

    Args:
        series: The meter's readings; `day_ahead.HISTORY_DAYS` before `made_at` are enough. Those of
            intervals that end after `made_at` change nothing.
        meter: The meter.
        calendar: Its rest days, which count as Sundays.
        made_at: The moment, ns since 1970 UTC; at a local midnight the forecast is the local day.

    Returns:
        None while there is too little history: about nine weeks.
    """
    windows = cut_windows(series, meter, calendar, made_at)
    if windows is None:
        return None
    made = forecast_windows(windows, LEARNED_DAYS + 1)
    row = len(windows.values) - 1
    limits = range_of(made, row)
    if limits is None:
        return None
    begin = pd.Timestamp(windows.start, tz="UTC")
    month = Month(begin.tz_convert(meter.zone).date().replace(day=1))
    own = series.until(made_at - meter.interval_minutes * NS_A_MINUTE + 1)
    own = own.since(month.bounds(meter)[0].value)
    used_kwh = float(np.nansum(own.values)) / meter.readings_per_hour
    peak = float(np.nanmax(own.values)) if np.isfinite(own.values).any() else None
    ahead = peak_ahead(made, row)
    return Forecast(
        meter=meter,
        made_at=made_at,
        instants=windows.start
        + meter.interval_minutes * NS_A_MINUTE * np.arange(len(windows.steps)),
        power=made.power[row, windows.steps],
        low=limits[0][windows.steps],
        high=limits[1][windows.steps],
        month=month,
        used_kwh=used_kwh,
        month_energy=_month_energy(made, windows, month, used_kwh),
        peak_kw=peak,
        peak_probability=(None if peak is None or ahead is None else ahead.probability_above(peak)),
        ahead=ahead,
    )


def _month_energy(
    made: WindowForecasts, windows: Windows, month: Month, used_kwh: float
) -> EnergyRange | None:
    """What was used and what the rest of the month adds."""
    meter = windows.meter
    size = windows.values.shape[1]
    row = len(windows.values) - 1
    end = month.bounds(meter)[1]
    days = (end.tz_convert(meter.zone).date() - pd.Timestamp(0).date()).days - windows.first_day
    on_clock = (days - row) * size - (size - windows.split)
    ahead = energy_ahead(made, row, on_clock)
    if ahead is None:
        return None
    # A change of the clocks makes the rest of the month an hour longer or shorter.
    really = (end.value - windows.start) / (meter.interval_minutes * NS_A_MINUTE) / on_clock
    return EnergyRange(
        *(used_kwh + really * kwh for kwh in (ahead.kwh, ahead.low_kwh, ahead.high_kwh))
    )
