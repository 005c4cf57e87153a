"""The table `usage_cost`: computed by month from readings and tariffs, some meters at a time.

Belongs here: which months are due, and the rows of a month. Not here: what an hour costs
(`core.tariffs.hours`), merging (`adapters.lake.cost_table`), when it runs (`defs`).

A month is the unit, because tiers count from its beginning: a late reading changes all that follows
in its month. It is due when the files of its readings, the tariffs or the meters are others than
those from which it was computed.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from usage_platform.adapters.lake.cost_table import COST_COLUMNS, merge_costs
from usage_platform.adapters.lake.former_hours import delete_former_hours
from usage_platform.adapters.lake.reader import DayFiles, LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import READINGS, USAGE_COST
from usage_platform.adapters.stores.cost_record import CostRecord
from usage_platform.core.load.month import Month
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.meter_hours import are_utc
from usage_platform.core.readings.series import ReadingHistory, Series
from usage_platform.core.tariffs.book import TariffBook
from usage_platform.core.tariffs.hours import HourCost, cost_of_hours
from usage_platform.core.tariffs.tariff import Tariff, flat_tariff

METERS_AT_ONCE = 50
"""Whose readings of a month are in memory at once."""

_A_DAY = timedelta(days=1)
# Gives the energy of hours that no tariff prices; XXX is "no currency" in ISO 4217.
_NO_TARIFF = flat_tariff(0, "XXX")
_GRAMS_A_KG = 1000


@dataclass(frozen=True)
class CostInputs:
    """What costs are computed from.

    Attributes:
        reader: The lake's tables.
        book: The tariffs.
        registry: The known meters.
    """

    reader: LakeReader
    book: TariffBook
    registry: MeterRegistry

    def digest(self, month: Month, files: DayFiles) -> str:
        """A digest of all that the rows of a month depend on.

        Args:
            month: The month.
            files: The files of the table `readings`.
        """
        # A local month reaches into the UTC days beside it.
        days = [day for day in sorted(files.files) if _is_near(day, month)]
        meters = [self.registry.default, *self.registry.known.values()]
        content = (
            [tariff.model_dump_json() for tariff in self.book.tariffs],
            sorted(json.dumps(meter.as_stored()) for meter in meters),
            [sorted(files.files[day]) for day in days],
            # Of former versions, whose hours were those of UTC, all months become due.
            *([] if are_utc(self.registry) else ["hours of the clock"]),
        )
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def months_due(inputs: CostInputs, record: CostRecord) -> list[Month]:
    """The months whose rows are to be computed, the latest first.

    Raises:
        LakeError: When the tables or the record cannot be read.
    """
    files = inputs.reader.day_files(READINGS)
    computed = record.read()
    firsts = {near.replace(day=1) for day in files.files for near in (day - _A_DAY, day + _A_DAY)}
    months = [Month(first) for first in sorted(firsts, reverse=True)]
    return [one for one in months if inputs.digest(one, files) != computed.get(one.label)]


def compute_month(
    inputs: CostInputs,
    record: CostRecord,
    month: Month,
    progress: Callable[[str], None],
) -> int:
    """Compute the hours of a local month of all meters; equal rows do not change.

    Args:
        inputs: What they are computed from.
        record: Where it is noted that the month was computed.
        month: The month.
        progress: Called with a line after some meters; what it raises ends the work.

    Returns:
        The number of hours.

    Raises:
        LakeError: When there are no readings yet, or the lake cannot be read or written.
    """
    lake = inputs.reader.lake
    create_tables(lake, (USAGE_COST,))
    # Listed before the rows are read: what comes meanwhile makes the month due again.
    digest = inputs.digest(month, inputs.reader.day_files(READINGS))
    names = inputs.reader.meters(READINGS, month.first - _A_DAY, month.last + _A_DAY)
    hours = done = 0
    for some in (names[at : at + METERS_AT_ONCE] for at in range(0, len(names), METERS_AT_ONCE)):
        costs = costs_of_month(inputs, month, some)
        if len(costs):
            merge_costs(lake, costs)
        days = month.first - _A_DAY, month.last + _A_DAY
        delete_former_hours(lake, USAGE_COST, inputs.registry, some, *days)
        hours += len(costs)
        done += len(some)
        progress(f"{month.label}: {done:,} of {len(names):,} meters")
    record.write(month.label, digest)
    return hours


def costs_of_month(inputs: CostInputs, month: Month, names: Sequence[str]) -> pd.DataFrame:
    """The hours of a local month of some meters.

    Args:
        inputs: What they are computed from.
        month: The month.
        names: The meters; their readings of the month are in memory at once.

    Returns:
        `COST_COLUMNS`, a row an hour that has a reading. No row of a meter that is not read in kW:
        a tariff prices kWh, and a kWh of water is none.
    """
    known = [inputs.registry.get(name) for name in names]
    meters = [meter for meter in known if meter.is_power]
    if not meters:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in COST_COLUMNS})
    first = min(_needed_from(month, meter) for meter in meters)
    last = max(month.bounds(meter)[1] for meter in meters)
    columns = ["meter", "event_time", "value"]
    history = ReadingHistory()
    history.add(
        inputs.reader.rows(READINGS, columns, first.date(), last.date(), [m.name for m in meters])
    )
    rows = [
        row for meter in meters for row in _rows(inputs.book, meter, month, history.of(meter.name))
    ]
    return pd.DataFrame(rows, columns=COST_COLUMNS).astype(
        dict.fromkeys(("start", "end"), "datetime64[ns, UTC]")
    )


def wrong_hours(inputs: CostInputs, month: Month, names: Sequence[str]) -> tuple[int, int]:
    """Compare rows of the table with a recomputation.

    Args:
        inputs: What they are computed from.
        month: A month that was computed.
        names: The meters.

    Returns:
        How many hours were compared, and how many are missing or differ in any column.

    Raises:
        LakeError: When the tables cannot be read.
    """
    expected = costs_of_month(inputs, month, names)
    first, last = month.first - _A_DAY, month.last + _A_DAY
    columns = [name for name in COST_COLUMNS if name != "event_date"]
    found = inputs.reader.rows(USAGE_COST, columns, first, last, names)
    rows = set(_comparable(found[columns]))
    wrong = sum(row not in rows for row in _comparable(expected[columns]))
    return len(expected), wrong


def _comparable(rows: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    """The rows as tuples in which nothing is None, as NaN equals nothing."""
    return rows.astype(object).where(rows.notna(), None).itertuples(index=False, name=None)


def _needed_from(month: Month, meter: Meter) -> pd.Timestamp:
    """From when on readings count: the first one may reach into the month."""
    return month.bounds(meter)[0] - pd.Timedelta(minutes=meter.interval_minutes)


def _rows(
    book: TariffBook, meter: Meter, month: Month, series: Series
) -> Iterator[tuple[object, ...]]:
    money, carbon = book.money(meter.name), book.carbon(meter.name)
    hours = _hours(money or _NO_TARIFF, meter, month, series)
    emitted = _hours(carbon or _NO_TARIFF, meter, month, series)
    for hour, emission in zip(hours, emitted, strict=True):
        grams = None if carbon is None else emission.cost
        yield (
            meter.name,
            hour.start,
            hour.end,
            hour.start.date(),
            hour.minutes,
            float(hour.imported_kwh),
            float(hour.exported_kwh),
            None if money is None else money.name,
            None if money is None else money.unit,
            None if money is None or hour.cost is None else float(hour.cost),
            None if grams is None else float(grams / _GRAMS_A_KG),
        )


def _hours(tariff: Tariff, meter: Meter, month: Month, series: Series) -> list[HourCost]:
    start, end = month.bounds(meter)
    needed = series.since(_needed_from(month, meter).value)
    return cost_of_hours(tariff, meter, needed, start, end)


def _is_near(day: date, month: Month) -> bool:
    return month.first - _A_DAY <= day <= month.last + _A_DAY
