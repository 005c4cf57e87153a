"""The stage from samples to readings: the state of all meters, and what is due of it.

Belongs here: taking samples, and which readings are published. Not here: one meter's samples
(`window`), the means (`interval_means`), the topics (`services.average_samples`).

The readings are a function of the accepted samples and of the latest closing time, however these
come in batches: what is published last of an interval is its mean over all samples of it. A reading
that was published is never taken back, as `usage` has no such message: it stays where a late sample
shows that a register was reset within it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from usage_platform.core.meter_descriptions.samples import SampleDescription, SampleDescriptions
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.samples.interval_means import Due, interval_means
from usage_platform.core.samples.parsing import ParsedSamples
from usage_platform.core.samples.window import SampleWindow
from usage_platform.core.time.units import NS_A_MINUTE

CLOSING_TIMEOUT = NS_A_MINUTE
"""So long after its end (ns) an interval is closed without another sample."""


@dataclass(frozen=True)
class Taken:
    """What became of a batch of samples.

    Attributes:
        samples: The number of accepted ones, repeated ones included.
        reasons: Why each of n messages is no sample or was not accepted; None if it was.
    """

    samples: int
    reasons: list[str | None]


class SampleStage:
    """The state of all meters. Not thread-safe.

    Attributes:
        clock: Up to when the passing of time was taken into account, ns since 1970 UTC.
    """

    def __init__(self) -> None:
        self._windows: dict[str, SampleWindow] = {}
        self.clock = 0

    def take(
        self,
        parsed: ParsedSamples,
        places: Sequence[tuple[int, int]],
        descriptions: SampleDescriptions,
        registry: MeterRegistry,
    ) -> Taken:
        """Add a batch of samples, in the order of their arrival.

        Args:
            parsed: n messages.
            places: The partition and offset of each.
            descriptions: How each meter's samples are read; a meter whose description has changed
                begins again with the next sample.
            registry: Gives the meters their zones and intervals.
        """
        reasons = list(parsed.reasons)
        rows = zip(parsed.meters, parsed.instants.tolist(), parsed.values.tolist(), strict=True)
        for at, ((meter, time, value), place) in enumerate(zip(rows, places, strict=True)):
            if reasons[at] is None and meter is not None:
                window = self._window(registry.get(meter), descriptions[meter])
                reason = window.add(time, value, *place)
                reasons[at] = None if reason is None else reason.value
        return Taken(reasons.count(None), reasons)

    def due_readings(self, now: int = 0) -> pd.DataFrame:
        """The readings that are new, or differ from what was published; they count as published.

        Args:
            now: The current time, ns since 1970 UTC, if all samples that the broker got by then
                were taken; 0 to close no interval by time.

        Returns:
            `meter`, `ts` (datetime64[ns, UTC], the interval's start), `value` (kW); in order of
            `ts` and `meter`.
        """
        self.clock = max(self.clock, now)
        closing = self.clock - CLOSING_TIMEOUT
        due: list[Due] = []
        for window in self._windows.values():
            until = window.closes_until(closing)
            start = window.due_from(until)
            if start is not None:
                due.append(Due(window, start, until))
        means = interval_means(due)
        kept: list[tuple[str, int, float]] = []
        for position, start, kw in zip(*means, strict=True):
            window = due[int(position)].window
            if window.published.get(int(start)) != float(kw):
                window.published[int(start)] = float(kw)
                kept.append((window.meter.name, int(start), float(kw)))
        for window, _, until in due:
            window.close(until)
        self._windows = {n: w for n, w in self._windows.items() if not w.is_over(self.clock)}
        kept.sort(key=lambda reading: (reading[1], reading[0]))
        starts = np.array([start for _, start, _ in kept], dtype=np.int64)
        return pd.DataFrame(
            {
                "meter": pd.Series([meter for meter, _, _ in kept], dtype=object),
                "ts": pd.Series(pd.DatetimeIndex(starts, tz="UTC")),
                "value": pd.Series([kw for _, _, kw in kept], dtype=np.float64),
            }
        )

    def first_offsets(self) -> dict[int, int]:
        """By partition, the offset from which on the samples give this state again."""
        first: dict[int, int] = {}
        for window in self._windows.values():
            for partition, offset in window.first_offsets.items():
                first[partition] = min(first.get(partition, offset), offset)
        return first

    def _window(self, meter: Meter, description: SampleDescription) -> SampleWindow:
        found = self._windows.get(meter.name)
        if found is None or (found.meter, found.description) != (meter, description):
            found = self._windows[meter.name] = SampleWindow(meter, description)
        return found
