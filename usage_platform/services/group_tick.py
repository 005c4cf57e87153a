"""The result of one tick of summing groups, for logs and for the asset's metadata."""

from dataclasses import dataclass, field

import pandas as pd

from usage_platform.core.fleet.missing_members import Missing


@dataclass
class GroupTick:
    """The result of one tick.

    Attributes:
        readings: Readings published on `usage`, corrected ones included.
        groups: The names of the groups that they are of.
        incomplete: Intervals that were looked at and lack a reading of a meter.
        missing: Meters that groups lack and that were not reported before.
        newest: The start of the newest published reading; None without any.
        days: UTC days whose readings were looked at.
        is_caught_up: Whether all readings that were in the lake are in the sums.
        seconds: Duration of the tick.
    """

    readings: int = 0
    groups: set[str] = field(default_factory=set[str])
    incomplete: int = 0
    missing: list[Missing] = field(default_factory=list[Missing])
    newest: pd.Timestamp | None = None
    days: int = 0
    is_caught_up: bool = False
    seconds: float = 0.0

    def add(self, readings: pd.DataFrame) -> None:
        """Count published readings: `meter`, `ts` and other columns."""
        self.readings += len(readings)
        self.groups.update(readings["meter"])
        if len(readings):
            newest = readings["ts"].max()
            self.newest = newest if self.newest is None else max(self.newest, newest)
