"""The forecast of one meter from its newest reading on, with the month's cost.

Belongs here: when a forecast is made, what it is made of, and which ones are kept. Not here: the
forecast (`core.forecast`), bills (`core.tariffs`), presenting them (`web`).

A forecast begins with the full hour on the meter's clock after which readings are missing, so that
it is made once an hour, however many readings come.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.core.arrays import Floats
from usage_platform.core.forecast.forecast import Forecast, forecast
from usage_platform.core.load.series import PowerSeries
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import NO_READINGS, Series
from usage_platform.core.tariffs.bill import bill_of_month, readings_from
from usage_platform.core.tariffs.book import TariffBook
from usage_platform.core.tariffs.coverage import completed
from usage_platform.core.tariffs.demand import WindowTooShortError
from usage_platform.core.tariffs.tariff import Tariff
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.clock_hours import clock_hours
from usage_platform.core.time.units import NS_A_MINUTE
from usage_platform.services.month_bills import readings_between
from usage_platform.services.page_data import YearCache

MOST_HELD = 32
"""The most forecasts in memory, some 20 KB each."""


@dataclass(frozen=True)
class CostRange:
    """A month's bill with the range that holds it as often as that of its energy does.

    Attributes:
        cost: The bill at the forecast's energy.
        low: At the lower end of its range.
        high: At the upper end.
        currency: As in ISO 4217.
    """

    cost: float
    low: float
    high: float
    currency: str


@dataclass(frozen=True, eq=False)
class MeterForecast:
    """A forecast with the month's cost.

    Attributes:
        version: Changes whenever anything else here does.
        forecast: The next 24 hours, the month's energy and its peak; None with too little history.
        month_cost: The month's bill at its end; None without a tariff or a range of its energy, and
            where intervals are too long for a demand charge.
    """

    version: str
    forecast: Forecast | None
    month_cost: CostRange | None


@dataclass(frozen=True, eq=False)
class ForecastSource:
    """What forecasts are made of.

    Attributes:
        reader: The lake's tables.
        years: The readings of the last twelve months.
        calendar: Gives the rest days.
        book: Gives the tariffs.
    """

    reader: LakeReader
    years: YearCache
    calendar: Callable[[], Calendar]
    book: Callable[[], TariffBook]


class ForecastCache:
    """The forecasts of the meters viewed lately; one is made at a time."""

    def __init__(self, source: ForecastSource) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._held: OrderedDict[Meter, MeterForecast] = OrderedDict()

    def forecast(self, meter: Meter) -> MeterForecast:
        """The forecast of a meter from its newest reading on.

        Raises:
            LakeError: When the lake or the file of tariffs cannot be read.
            SettingsError: When the file of closing days cannot be read.
        """
        source = self._source
        power = source.years.year(meter, None).power
        calendar = source.calendar()
        tariff = source.book().money(meter.name) if meter.is_power else None
        made_at = _made_at(power)
        known = power.between(0, made_at)
        version = _version(known, calendar, tariff)
        with self._lock:
            held = self._held.pop(meter, None)
            if held is None or held.version != version:
                made = forecast(Series(known.instants, known.values), meter, calendar, made_at)
                held = MeterForecast(version, made, self._cost(made, tariff))
            self._held[meter] = held
            while len(self._held) > MOST_HELD:
                self._held.popitem(last=False)
            return held

    def _cost(self, made: Forecast | None, tariff: Tariff | None) -> CostRange | None:
        """The month's bill at the energies of its range.

        The rest of the month has the shape that the projection of a bill gives it
        (`tariffs.coverage.completed`), at the level of each energy.
        """
        if made is None or made.month_energy is None or tariff is None:
            return None
        first = readings_from(tariff, made.meter, made.month)
        end = pd.Timestamp(made.made_at, tz="UTC")
        known = readings_between(self._source.reader, made.meter, first, end).until(made.made_at)
        whole = completed(known, made.meter, made.month)
        rest = NO_READINGS if whole is None else whole.since(int(made.instants[0]))
        if not len(rest.values):
            return None

        def bill(kwh: float) -> float:
            coming = at_energy(rest.values, kwh - made.used_kwh, made.meter)
            series = Series(
                np.concatenate([known.instants, rest.instants]),
                np.concatenate([known.values, coming]),
            )
            end = made.month.bounds(made.meter)[1]
            return float(bill_of_month(tariff, made.meter, made.month, series, end).total)

        energy = made.month_energy
        try:
            return CostRange(
                bill(energy.kwh), bill(energy.low_kwh), bill(energy.high_kwh), tariff.unit
            )
        except WindowTooShortError:
            return None


def at_energy(power: Floats, kwh: float, meter: Meter) -> Floats:
    """Powers of the same shape that have an energy.

    Those of a meter that only consumes by a factor; those of a net meter, whose sum may be near 0
    or below it, by a difference, which keeps what is import and what is export.

    Args:
        power: Shape (n,), kW, one an interval; at least one.
        kwh: The energy that they are to have.
        meter: Gives the interval and the sign.
    """
    total = kwh * meter.readings_per_hour
    expected = float(power.sum())
    if not meter.is_net and expected > 0:
        return power * (total / expected)
    return power + (total - expected) / len(power)


def _made_at(power: PowerSeries) -> int:
    """The last full hour until which all readings may be there, ns since 1970 UTC."""
    if not len(power):
        return 0
    end = int(power.instants[-1]) + power.meter.interval_minutes * NS_A_MINUTE
    return int(clock_hours(power.meter.timezone).starts(np.array([end]))[0])


def _version(known: PowerSeries, calendar: Calendar, tariff: Tariff | None) -> str:
    digest = sha256(known.instants.tobytes() + known.values.tobytes())
    digest.update(repr((known.meter, calendar)).encode())
    digest.update(b"" if tariff is None else tariff.model_dump_json().encode())
    return digest.hexdigest()[:16]
