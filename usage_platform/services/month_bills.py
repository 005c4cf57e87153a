"""The bills of a meter for a month, from the readings of the lake.

Belongs here: which readings they need. Not here: what is charged (`core.tariffs`), showing them
(`console`).
"""

from dataclasses import dataclass

import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.core.load.month import Month
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import ReadingHistory, Series
from usage_platform.core.tariffs.bill import Bill, bill_of_month, projected_bill, readings_from
from usage_platform.core.tariffs.tariff import Tariff


@dataclass(frozen=True)
class MonthBills:
    """A month by one tariff.

    Attributes:
        bill: What the readings that are there cost.
        projected: The whole month with estimates where readings are missing; None where none is
            missing, or there is nothing to estimate from.
    """

    bill: Bill
    projected: Bill | None


def month_bills(
    reader: LakeReader, meter: Meter, month: Month, tariff: Tariff, now: pd.Timestamp
) -> MonthBills:
    """The bill of a month, and its projection.

    Args:
        reader: The lake's tables.
        meter: The meter.
        month: The local month.
        tariff: One of the meter's tariffs.
        now: The current time, UTC.

    Raises:
        LakeError: When the table `readings` does not exist yet, or cannot be read.
        WindowTooShortError: In one line, where the readings cannot show a demand.
    """
    start, end = readings_from(tariff, meter, month), month.bounds(meter)[1]
    series = readings_between(reader, meter, start, end)
    bill = bill_of_month(tariff, meter, month, series, now)
    if bill.is_over and not bill.coverage.gaps:
        return MonthBills(bill, None)
    return MonthBills(bill, projected_bill(tariff, meter, month, series))


def readings_between(
    reader: LakeReader, meter: Meter, start: pd.Timestamp, end: pd.Timestamp
) -> Series:
    """A meter's readings whose intervals overlap a span.

    Args:
        reader: The lake's tables.
        meter: The meter.
        start: Start of the span, UTC.
        end: Its end, UTC, exclusive.

    Raises:
        LakeError: When the table `readings` does not exist yet, or cannot be read.
    """
    first = start.floor(f"{meter.interval_minutes}min")
    columns = ["meter", "event_time", "value"]
    rows = reader.rows(READINGS, columns, first.date(), end.date(), [meter.name])
    history = ReadingHistory()
    history.add(rows)
    return history.of(meter.name).since(first.value).until(end.value)
