"""What the scorer has told so far, and what it has to tell when it finds something else.

Belongs here: new anomalies, changed ones and withdrawals, as a difference of rows. Not here:
finding them (`anomalies`), sending them (adapters).
"""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from usage_platform.core.anomalies.anomaly import ANOMALY_COLUMNS, WITHDRAWN, no_anomalies, records
from usage_platform.core.anomalies.episodes import LastOdd

Row = dict[str, Any]


@dataclass
class ToldAnomalies:
    """The anomalies that stand, by meter and instant; a function of the messages in their order."""

    _by_meter: dict[str, dict[int, Row]] = field(default_factory=dict)
    _newest: dict[str, int] = field(default_factory=dict)

    def add(self, rows: pd.DataFrame) -> None:
        """Take rows that were told, the oldest first.

        Args:
            rows: `ANOMALY_COLUMNS`.
        """
        for row in records(rows):
            own = self._by_meter.setdefault(row["meter"], {})
            at = row["event_time"].value
            if row["status"] != WITHDRAWN:
                own[at] = row
                self._newest[row["meter"]] = max(at, self._newest.get(row["meter"], at))
            elif at in own and own[at]["anomaly_id"] == row["anomaly_id"]:
                del own[at]

    def changes(self, meter: str, start: int, found: pd.DataFrame) -> pd.DataFrame:
        """What has to be told so that only `found` stands from an instant on.

        Args:
            meter: The meter.
            start: From when, ns since 1970 UTC.
            found: Its anomalies from then on, `ANOMALY_COLUMNS`.

        Returns:
            `ANOMALY_COLUMNS`: anomalies that are new or not as they were told, and withdrawals.
        """
        stands = dict(self._since(meter, start))
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

    def last_before(self, meter: str, instant: int) -> LastOdd | None:
        """A meter's last odd reading before an instant."""
        own = self._by_meter.get(meter, {})
        newest = self._newest.get(meter)
        if newest is None:
            return None
        if newest >= instant or newest not in own:
            newest = max((at for at in own if at < instant), default=None)
        return None if newest is None else LastOdd(newest, own[newest]["episode"])

    def episodes_since(self, meter: str, start: int) -> pd.DataFrame:
        """The anomalies of all episodes of a meter that reach beyond an instant, by time."""
        last = self.last_before(meter, start)
        rows = [row for _, row in self._since(meter, start if last is None else last.at)]
        if last is not None:
            own = self._by_meter[meter]
            rows += [
                row for at, row in own.items() if at < last.at and row["episode"] == last.episode
            ]
        if not rows:
            return no_anomalies()
        return pd.DataFrame(rows).sort_values("event_time", ignore_index=True)

    def reaches(self, meter: str, start: int) -> bool:
        """Whether anything was told of a meter from an instant on."""
        newest = self._newest.get(meter)
        return newest is not None and newest >= start

    def _since(self, meter: str, start: int) -> list[tuple[int, Row]]:
        if not self.reaches(meter, start):
            return []
        own = self._by_meter.get(meter, {})
        return sorted((at, row) for at, row in own.items() if at >= start)


def _same(one: Row, other: Row) -> bool:
    """Whether two rows say the same; an unknown number is like an unknown one."""
    return all(a == b or (a != a and b != b) for a, b in ((one[k], other[k]) for k in one))
