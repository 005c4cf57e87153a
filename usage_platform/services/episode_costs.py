"""What an episode of a meter costs, from the readings and anomalies of the lake.

Belongs here: which rows it needs. Not here: what is charged (`core.tariffs.episode_cost`).
"""

from decimal import Decimal

import numpy as np
import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import ANOMALIES
from usage_platform.core.anomalies.anomaly import WITHDRAWN
from usage_platform.core.load.month import Month
from usage_platform.core.meters import Meter
from usage_platform.core.tariffs.bill import readings_from
from usage_platform.core.tariffs.book import TariffBook
from usage_platform.core.tariffs.demand import WindowTooShortError
from usage_platform.core.tariffs.episode_cost import cost_of_episode
from usage_platform.core.time.units import instants_of
from usage_platform.services.month_bills import readings_between

_COLUMNS = ["meter", "event_time", "episode", "expected", "status"]


def episode_cost(
    reader: LakeReader, book: TariffBook, meter: Meter, episode: str, end: str
) -> tuple[Decimal, str] | None:
    """The cost of an episode so far and its currency.

    Args:
        reader: The lake's tables.
        book: The tariffs.
        meter: The meter.
        episode: The episode's name.
        end: The time of its last reading so far, ISO 8601 with an offset.

    Returns:
        None where no tariff is for the meter, it is not read in kW, its intervals are too long for
        the tariff's demand, or the lake has none of the episode's readings yet.

    Raises:
        LakeError: When a table does not exist yet, or cannot be read.
    """
    tariff = book.money(meter.name) if meter.is_power else None
    if tariff is None:
        return None
    first, last = pd.Timestamp(episode), pd.Timestamp(end).tz_convert("UTC")
    rows = reader.rows(ANOMALIES, _COLUMNS, first.date(), last.date(), [meter.name])
    own = rows[(rows["episode"] == episode) & (rows["status"] != WITHDRAWN)]
    if own.empty:
        return None
    own = own.sort_values("event_time")
    anomalous = instants_of(own.loc[:, "event_time"])
    months = [_month(own["event_time"].iloc[position], meter) for position in (0, -1)]
    begins, ends = readings_from(tariff, meter, months[0]), months[1].bounds(meter)[1]
    series = readings_between(reader, meter, begins, ends)
    expected = own["expected"].to_numpy(np.float64)
    try:
        cost = cost_of_episode(tariff, meter, series, anomalous, expected)
    except WindowTooShortError:
        return None
    return (cost.total, cost.unit) if cost.unexpected < len(own) else None


def _month(at: pd.Timestamp, meter: Meter) -> Month:
    return Month(at.tz_convert(meter.zone).date().replace(day=1))
