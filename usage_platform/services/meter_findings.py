"""The findings of one meter at one moment, from the readings of the lake.

Belongs here: which readings, prices and sub-meters findings need. Not here: what is found
(`core.findings`), all meters and the table (`usage_findings`).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from usage_platform.adapters.lake.reader import DayFiles, LakeReader
from usage_platform.adapters.lake.readings_digest import readings_digest
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.core.arrays import Floats
from usage_platform.core.findings.find import find
from usage_platform.core.findings.finding import Finding
from usage_platform.core.findings.sub_meters import COMPARED_DAYS, sub_meter_finding
from usage_platform.core.fleet.groups import GroupKind, Groups, Member
from usage_platform.core.load.days import day_totals
from usage_platform.core.load.series import PowerSeries
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.series import ReadingHistory, Series
from usage_platform.core.tariffs.book import TariffBook
from usage_platform.core.tariffs.day_prices import price_by_local_hour
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.core.time.units import NS_A_DAY

HISTORY_DAYS = 550
"""Days of readings before the moment that are read: eighteen months."""

_A_DAY = timedelta(days=1)
_YEAR_DAYS = 364  # whole weeks


@dataclass(frozen=True, eq=False)
class FindingInputs:
    """What findings are made from.

    Attributes:
        reader: The lake's tables.
        book: The tariffs.
        registry: The known meters.
        calendar: The rest days.
        groups: Their virtual meters say which sub-meters a main meter has, their buildings when a
            meter is needed.
    """

    reader: LakeReader
    book: TariffBook
    registry: MeterRegistry
    calendar: Calendar
    groups: Groups

    def digest(self, as_of: int, files: DayFiles) -> str:
        """A digest of all that the findings of a moment depend on.

        Args:
            as_of: The moment, ns since 1970 UTC.
            files: The files of the table `readings`.
        """
        first, last = _days_read(as_of)
        meters = [self.registry.default, *self.registry.known.values()]
        content = (
            [tariff.model_dump_json() for tariff in self.book.tariffs],
            sorted(json.dumps(asdict(meter)) for meter in meters),
            repr(self.calendar),
            repr(self.groups.groups),
            [sorted(files.files[day]) for day in sorted(files.files) if first <= day < last],
            self._newest_digest(as_of, last) if last in files.files else "",
        )
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def _newest_digest(self, as_of: int, day: date) -> str:
        """A digest of the readings of the newest UTC day that count, whose files go on changing."""
        meters = [self.registry.default, *self.registry.known.values()]
        midnight = max(local_day_bounds(_today(as_of, one), one.timezone)[0] for one in meters)
        return readings_digest(self.reader, day, midnight)


class MeterFindings:
    """Makes the findings of meters at one moment.

    Args:
        inputs: What they are made from.
        as_of: The moment, ns since 1970 UTC; the whole local days before it count.
    """

    def __init__(self, inputs: FindingInputs, as_of: int) -> None:
        self._inputs = inputs
        self._as_of = as_of
        self._prices: dict[tuple[str, str], Floats | None] = {}
        self._children = _sub_meters(inputs.groups)

    def meters(self) -> list[str]:
        """The meters that have readings to look at, sorted.

        Raises:
            LakeError: When the table `readings` does not exist yet, or cannot be read.
        """
        return self._inputs.reader.meters(READINGS, *_days_read(self._as_of))

    def read(self, names: Sequence[str]) -> ReadingHistory:
        """The readings of some meters that findings need; they are in memory at once.

        Raises:
            LakeError: When the lake cannot be read.
        """
        return self._read(names, *_days_read(self._as_of))

    def of(self, name: str, history: ReadingHistory) -> list[Finding]:
        """The findings of a meter; none of one that is not read in kW, as they are of energy.

        Args:
            name: Its name.
            history: What `read` has given.

        Raises:
            LakeError: When the readings of a sub-meter cannot be read.
        """
        meter, series = self._inputs.registry.get(name), history.of(name)
        if not meter.is_power:
            return []
        prices = self._prices_of(meter)
        needed = self._inputs.groups.needed_of(name, self.today(name))
        found = find(
            *(series, meter, self._inputs.calendar, self._as_of), schedule=needed, prices=prices
        )
        not_adding_up = self._sub_meter_finding(meter, series)
        return found if not_adding_up is None else [*found, not_adding_up]

    def today(self, name: str) -> date:
        """The local date of the moment."""
        return _today(self._as_of, self._inputs.registry.get(name))

    def currency(self, name: str) -> str | None:
        """The currency of a meter's costs; None without a tariff."""
        tariff = self._inputs.book.money(name)
        return None if tariff is None else tariff.unit

    def _prices_of(self, meter: Meter) -> Floats | None:
        """The prices by local hour of the year that begins."""
        tariff = self._inputs.book.money(meter.name)
        if tariff is None:
            return None
        key = tariff.name, meter.timezone
        if key not in self._prices:
            today = self.today(meter.name)
            end = today + timedelta(days=_YEAR_DAYS)
            bounds = (local_day_bounds(day, meter.timezone)[0].value for day in (today, end))
            self._prices[key] = price_by_local_hour(
                tariff, replace(meter, interval_minutes=60), *bounds
            )
        return self._prices[key]

    def _sub_meter_finding(self, main: Meter, series: Series) -> Finding | None:
        children = self._children.get(main.name)
        if children is None:
            return None
        first = self.today(main.name) - timedelta(days=COMPARED_DAYS)
        sums = np.zeros(COMPARED_DAYS)
        days = [first + timedelta(days=number) for number in range(COMPARED_DAYS)]
        members = np.array([[one.holds_on(day) for day in days] for one in children])
        # With more or fewer sub-meters another share of the energy is measured.
        counts = members.sum(axis=0)
        sums[counts != counts[-1]] = np.nan
        for one, is_member in zip(children, members, strict=True):
            if not is_member.any():
                continue
            # Days are those of the main meter, and one sub-meter is in memory at a time.
            child = replace(self._inputs.registry.get(one.meter), timezone=main.timezone)
            history = self._read([one.meter], first - _A_DAY, days[-1] + 2 * _A_DAY)
            energies = _day_energies(history.of(one.meter), child, first)
            sums = sums + np.where(is_member, energies, 0.0)
        return sub_meter_finding(main, first, _day_energies(series, main, first), sums)

    def _read(self, names: Sequence[str], first: date, last: date) -> ReadingHistory:
        history = ReadingHistory()
        columns = ["meter", "event_time", "value"]
        history.add(self._inputs.reader.rows(READINGS, columns, first, last, names))
        return history


def _today(as_of: int, meter: Meter) -> date:
    return pd.Timestamp(as_of, tz="UTC").tz_convert(meter.zone).date()


def _days_read(as_of: int) -> tuple[date, date]:
    """The UTC days of the readings before a moment."""
    first, last = (pd.Timestamp(at, tz="UTC") for at in (as_of - HISTORY_DAYS * NS_A_DAY, as_of))
    return first.date(), last.date()


def _sub_meters(groups: Groups) -> dict[str, tuple[Member, ...]]:
    """The sub-meters of each main meter: a virtual meter that is one meter minus others says so.

    Of several such virtual meters the one with most sub-meters counts.
    """
    found: dict[str, tuple[Member, ...]] = {}
    for group in groups.groups:
        if group.kind is not GroupKind.VIRTUAL:
            continue
        main = {one.meter for one in group.members if one.sign > 0}
        children = tuple(one for one in group.members if one.sign < 0)
        if len(main) != 1:
            continue
        name = main.pop()
        if len(children) > len(found.get(name, ())):
            found[name] = children
    return found


def _day_energies(series: Series, meter: Meter, first: date) -> Floats:
    """Shape (`COMPARED_DAYS`,): kWh of each local day; NaN for one that lacks a reading."""
    found = np.full(COMPARED_DAYS, np.nan)
    power = PowerSeries.unscored(meter, series.instants, series.values)
    for total in day_totals(power, None):
        at = (total.day - first).days
        if 0 <= at < COMPARED_DAYS and total.readings == total.expected_readings:
            found[at] = total.energy_kwh
    return found
