"""Events for the rounds: readings, repeated and corrected ones, and what is no reading.

Belongs here: what is put on `usage`, and what of it counts. Not here: how it gets there.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from usage_platform.core.meters import Meter
from usage_platform.core.readings.messages import usage_messages

_LATE_EVERY = 9
_AGAIN_EVERY = 7


@dataclass
class EventStream:
    """All events of a topic, in their order, and the readings that they are.

    Attributes:
        meter: Whose readings they are.
        start: Instant of the first reading, UTC.
        payloads: The events.
        keys: Of each event the (instant, value) it tells; None for one that is no reading.
    """

    meter: Meter
    start: pd.Timestamp
    payloads: list[bytes] = field(default_factory=list)
    keys: list[tuple[pd.Timestamp, float] | None] = field(default_factory=list)
    _readings: int = 0

    def plain(self, count: int) -> pd.DataFrame:
        """Go on with readings in order, some of them odd.

        Returns:
            meter, ts (datetime64[ns, UTC]), value (kW), `count` rows; they count as put.
        """
        frame = self._next(count)
        self._take(usage_messages(frame), frame)
        return frame

    def in_order(self, count: int) -> list[bytes]:
        """Go on with readings in order, some twice, and something that is none among them."""
        frame = self._next(count)
        again = frame.iloc[1::_AGAIN_EVERY]
        both = pd.concat([frame, again]).sort_index(kind="stable")
        return self._with_a_bad_one(both)

    def mixed(self, count: int) -> list[bytes]:
        """Go on with readings out of order, some corrected, and something that is none."""
        frame = self._next(count)
        late = np.arange(count) % _LATE_EVERY == 0
        corrected = frame.iloc[1::_AGAIN_EVERY].assign(value=lambda rows: rows["value"] + 1)
        return self._with_a_bad_one(pd.concat([frame[~late], corrected, frame[late]]))

    def readings(self, until: int | None = None) -> pd.DataFrame:
        """The readings of the events before an offset: of several for an instant the last.

        Returns:
            meter, event_time (datetime64[ns, UTC]), value (kW), by time.
        """
        newest = dict(key for key in self.keys[:until] if key is not None)
        frame = pd.DataFrame({"event_time": list(newest), "value": list(newest.values())})
        frame = frame.astype({"event_time": "datetime64[ns, UTC]", "value": "float64"})
        frame.insert(0, "meter", self.meter.name)
        return frame.sort_values("event_time", ignore_index=True)

    def rejects(self, until: int | None = None) -> list[bytes]:
        """The events before an offset that are no readings."""
        events = zip(self.payloads[:until], self.keys[:until], strict=True)
        return [payload for payload, key in events if key is None]

    def _next(self, count: int) -> pd.DataFrame:
        numbers = np.arange(self._readings, self._readings + count)
        self._readings += count
        step = pd.Timedelta(minutes=self.meter.interval_minutes)
        # Above 200 kW is odd to the rounds' judge; every eighth reading or so, and no two alike.
        odd = (numbers * 2654435761 >> 7) % 8 == 0
        return pd.DataFrame(
            {
                "meter": self.meter.name,
                "ts": pd.date_range(
                    self.start + step * int(numbers[0]), periods=count, freq=step, unit="ns"
                ),
                "value": np.where(odd, 300.0, 150.0) + numbers % 97 / 8,
            }
        )

    def _with_a_bad_one(self, frame: pd.DataFrame) -> list[bytes]:
        first = len(self.payloads)
        half = len(frame) // 2
        self._take(usage_messages(frame.iloc[:half]), frame.iloc[:half])
        self.payloads.append(b"no reading, event %d" % len(self.payloads))
        self.keys.append(None)
        self._take(usage_messages(frame.iloc[half:]), frame.iloc[half:])
        return self.payloads[first:]

    def _take(self, payloads: list[bytes], frame: pd.DataFrame) -> None:
        self.payloads += payloads
        self.keys += zip(frame["ts"], frame["value"], strict=True)
