"""The anomalies that the scorer has published, and what it has to publish when others are found.

Belongs here: new anomalies, changed ones and withdrawals, as a difference of rows. Not here:
finding them (`anomaly`), sending them (adapters).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from usage_platform.core.anomalies.anomaly import ANOMALY_COLUMNS, WITHDRAWN, no_anomalies, records
from usage_platform.core.anomalies.episodes import LastAnomaly

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class PublishedSince:
    """What was published of one meter, as seen from an instant; fetched once per batch.

    Attributes:
        last: The last anomaly before the instant that stands; None without one.
        rows: The anomalies that stand from the instant on, by time.
    """

    last: LastAnomaly | None
    rows: Sequence[Row]
    _by_time: Mapping[int, Row]

    @cached_property
    def _earlier(self) -> list[Row]:
        """The anomalies of the last episode before the instant, by time."""
        if self.last is None:
            return []
        return [
            self._by_time[at]
            for at in sorted(self._by_time)
            if at <= self.last.at and self._by_time[at]["episode"] == self.last.episode
        ]

    def episode_names(self) -> set[str]:
        """The names of the episodes that stand from the instant on, and of the last one before."""
        names = {row["episode"] for row in self.rows}
        return names if self.last is None else names | {self.last.episode}

    def changes(self, found: pd.DataFrame) -> pd.DataFrame:
        """What has to be published so that only `found` stands from the instant on.

        Args:
            found: The meter's anomalies from then on, `ANOMALY_COLUMNS`.

        Returns:
            `ANOMALY_COLUMNS`: anomalies that are new or other than published, and withdrawals.
        """
        stands = {row["event_time"].value: row for row in self.rows}
        changed: list[Row] = []
        for row in records(found):
            before = stands.pop(row["event_time"].value, None)
            if before is not None and before["anomaly_id"] != row["anomaly_id"]:
                changed.append({**before, "status": WITHDRAWN})
                before = None
            if before is None or not _same(before, row):
                changed.append(row)
        changed += [{**row, "status": WITHDRAWN} for row in stands.values()]
        return pd.DataFrame(changed)[ANOMALY_COLUMNS] if changed else no_anomalies()

    def continued_by(self, found: pd.DataFrame) -> pd.DataFrame:
        """The anomalies of the last episode before the instant, and `found` after them.

        Args:
            found: The meter's anomalies from the instant on, `ANOMALY_COLUMNS`, by time.

        Returns:
            `ANOMALY_COLUMNS`, by time; whole episodes once `changes(found)` is published.
        """
        if not self._earlier:
            return found
        return pd.DataFrame([*self._earlier, *records(found)])


@dataclass
class PublishedAnomalies:
    """The anomalies that stand, by meter and instant; a function of the messages in their order."""

    _by_meter: dict[str, dict[int, Row]] = field(default_factory=dict[str, dict[int, Row]])
    _newest: dict[str, int] = field(default_factory=dict[str, int])

    def add(self, rows: pd.DataFrame) -> None:
        """Add rows that were published, the oldest first.

        Args:
            rows: `ANOMALY_COLUMNS`.
        """
        for row in records(rows):
            meter, at = row["meter"], row["event_time"].value
            if row["status"] != WITHDRAWN:
                self._by_meter.setdefault(meter, {})[at] = row
                self._newest[meter] = max(at, self._newest.get(meter, at))
            else:
                self._withdraw(meter, at, row["anomaly_id"])

    def _withdraw(self, meter: str, at: int, anomaly_id: str) -> None:
        by_time = self._by_meter.get(meter, {})
        if at in by_time and by_time[at]["anomaly_id"] == anomaly_id:
            del by_time[at]
        if not by_time:
            self._by_meter.pop(meter, None)
            self._newest.pop(meter, None)

    def add_earlier(self, other: "PublishedAnomalies") -> None:
        """Add anomalies that were forgotten; those of an instant that has one are known."""
        for meter, by_time in other._by_meter.items():
            self._by_meter[meter] = by_time | self._by_meter.get(meter, {})
            newest = max(by_time)
            self._newest[meter] = max(newest, self._newest.get(meter, newest))

    def forget(self, meter: str, before: int) -> set[str]:
        """Drop a meter's anomalies before an instant, but none of an episode that is needed.

        Episodes that reach beyond the instant are needed, and the last one, which may be open.

        Args:
            meter: The meter.
            before: The instant, ns since 1970 UTC.

        Returns:
            The names of the episodes of which there are anomalies.
        """
        by_time = self._by_meter.pop(meter, {})
        newest = self._newest.pop(meter, before)
        if not by_time:
            return set()
        kept = {row["episode"] for at, row in by_time.items() if at >= before}
        kept.add(by_time[max(by_time)]["episode"])
        self._by_meter[meter] = {at: row for at, row in by_time.items() if row["episode"] in kept}
        self._newest[meter] = newest
        return kept

    def of(self, meter: str, start: int) -> PublishedSince:
        """What was published of a meter, as seen from an instant in ns since 1970 UTC."""
        by_time = self._by_meter.get(meter, {})
        newest = self._newest.get(meter, start)
        # Most batches come after all that was published: nothing is searched then.
        if newest < start and newest in by_time:
            return PublishedSince(LastAnomaly(newest, by_time[newest]["episode"]), (), by_time)
        before = max((at for at in by_time if at < start), default=None)
        last = None if before is None else LastAnomaly(before, by_time[before]["episode"])
        rows = [by_time[at] for at in sorted(by_time) if at >= start]
        return PublishedSince(last, rows, by_time)


def _same(one: Row, other: Row) -> bool:
    """Whether two rows are equal; an unknown number is like an unknown one."""
    return all(a == b or (a != a and b != b) for a, b in ((one[k], other[k]) for k in one))
