"""A finding: something about a meter that lasts or matters, in a sentence, with its energy.

Belongs here: what a finding holds, its id and its cost. Not here: how findings are found.
"""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

import pandas as pd

from usage_platform.core.arrays import Floats

HOURS = 24
_ID_LENGTH = 12
_DAYS_A_YEAR = 365.0


class FindingKind(StrEnum):
    """What was found; the texts are stored and never change."""

    OUT_OF_HOURS = "out_of_hours"
    BASE_LOAD_INCREASE = "base_load_increase"
    BASE_LOAD_WEEKDAY = "base_load_weekday"
    BASE_LOAD_SEASON = "base_load_season"
    HOLIDAY_OPERATION = "holiday_operation"
    EARLY_START = "early_start"
    LATE_STOP = "late_stop"
    PEAK_ABOVE_LAST_YEAR = "peak_above_last_year"
    NEW_HIGHEST_PEAK = "new_highest_peak"
    FLATLINE = "flatline"
    SILENT = "silent"
    SUB_METERS = "sub_meters"


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        id: 12 hexadecimal digits; the same meter, kind and subject have the same id, whenever the
            finding is made.
        meter: The meter's name.
        kind: What was found.
        start: Start of the time that it is about, UTC.
        end: End of it, exclusive, UTC.
        sentence: What was found, for a reader who knows the building.
        kwh: Energy above what is usual or needed in that time; 0 where no energy is lost.
        kwh_per_year: The same in a year if it continues; None for what happens once.
        cost_per_year: What that costs; None without prices, and for what happens once.
    """

    id: str
    meter: str
    kind: FindingKind
    start: pd.Timestamp
    end: pd.Timestamp
    sentence: str
    kwh: float
    kwh_per_year: float | None
    cost_per_year: float | None


def finding_id(meter: str, kind: FindingKind, subject: str) -> str:
    """The id of a finding.

    Args:
        meter: The meter's name.
        kind: The kind.
        subject: What tells findings of one kind apart, such as the quarter or the day.
    """
    return sha256("\n".join((meter, kind, subject)).encode()).hexdigest()[:_ID_LENGTH]


@dataclass(frozen=True, eq=False)
class Excess:
    """Energy above what is usual or needed.

    Attributes:
        by_hour: Shape (24,): kWh by hour of the local day, all days together.
        times_a_year: How many such stretches a year has if it continues; None if it happens once.
    """

    by_hour: Floats
    times_a_year: float | None

    @classmethod
    def of_days(cls, by_hour: Floats, days: int) -> "Excess":
        """Of so many days, which go on like this."""
        return cls(by_hour, _DAYS_A_YEAR / days)

    @property
    def kwh(self) -> float:
        """All of it."""
        return float(self.by_hour.sum())

    @property
    def kwh_per_year(self) -> float | None:
        """In a year."""
        return None if self.times_a_year is None else self.kwh * self.times_a_year

    def cost_per_year(self, prices: Floats | None) -> float | None:
        """What a year of it costs.

        Args:
            prices: Shape (24,): price of a kWh by hour of the local day; None for no price.
        """
        if prices is None or self.times_a_year is None:
            return None
        return float(self.by_hour @ prices) * self.times_a_year
