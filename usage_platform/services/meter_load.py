"""One meter's readings over a span of days with their expected ranges.

Belongs here: keeping both up to date with the lake, scoring again only what a change can affect.
Not here: scoring (`core.detector.model_timeline`), which meters and spans are kept in memory
(`page_data`).
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from usage_platform.adapters.lake.meter_days import MeterDays
from usage_platform.adapters.lake.reader import DayFiles, LakeReader
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.manifest import Manifest
from usage_platform.core.detector.model_timeline import LOOK_BACK, ModelTimeline, score_series
from usage_platform.core.load.series import PowerSeries
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.time.units import instants_of

_JUDGED = ("expected", "low", "high")
_FIRST, _END = np.iinfo(np.int64).min, np.iinfo(np.int64).max


class MeterPower:
    """A meter's power, up to date with the lake at each call.

    The expected range of a reading is a function of the model of its time and of the readings up to
    it, so that only the readings after the first change are scored again.
    """

    def __init__(self, reader: LakeReader, meter: Meter) -> None:
        self._meter = meter
        self._days = MeterDays(reader, READINGS, ["event_time", "value"], meter.name)
        self._series = PowerSeries.unscored(meter, np.empty(0, dtype=np.int64), np.empty(0))
        self._manifests: list[Manifest] = []

    def as_of(
        self, files: DayFiles, timeline: ModelTimeline, first: date, last: date
    ) -> PowerSeries:
        """The readings of a span.

        Args:
            files: The files of the table `readings` now.
            timeline: The active models.
            first: The first UTC day.
            last: The last one, inclusive.
        """
        start = pd.Timestamp(first, tz="UTC")
        changed = self._days.follow(files, (start - LOOK_BACK).date(), last)
        since = _first_difference(self._manifests, timeline.manifests)
        if changed:
            since = min(_END if since is None else since, pd.Timestamp(changed[0], tz="UTC").value)
        if since is not None:
            self._series = self._judged_since(since, start.value, timeline)
            self._manifests = list(timeline.manifests)
        return self._series.between(start.value, _END)

    def ahead(
        self, instants: Ints, values: Floats, timeline: ModelTimeline, since: int
    ) -> PowerSeries:
        """Readings that the lake does not have yet, with the ranges that they will have in it.

        Args:
            instants: Interval starts after the lake's last one, ns since 1970 UTC, ascending.
            values: Their powers, kW.
            timeline: The active models.
            since: The first instant to score.

        Returns:
            The readings from `since` on.
        """
        known = self._series.between(_FIRST, int(instants[0]))
        series = Series(
            np.concatenate([known.instants, instants]), np.concatenate([known.values, values])
        )
        found = score_series(self._meter.name, series, since, timeline)
        part = series.since(since)
        columns = _placed(part.instants, found)
        return PowerSeries(self._meter, part.instants, part.values, *columns)

    @property
    def oldest(self) -> int:
        """The first instant that is held, before the span or in it; the earliest without one."""
        return int(self._series.instants[0]) if len(self._series) else _FIRST

    @property
    def newest(self) -> int:
        """The last instant that the lake has; the smallest int64 without one."""
        return int(self._series.instants[-1]) if len(self._series) else _FIRST

    def _judged_since(self, since: int, start: int, timeline: ModelTimeline) -> PowerSeries:
        """All readings held; those before `since` keep their ranges."""
        instants, values = _arrays(self._days.rows())
        old = self._series.between(int(instants[0]) if len(instants) else _END, since)
        found = score_series(
            self._meter.name, Series(instants, values), max(since, start), timeline
        )
        columns = _placed(instants, found)
        kept = np.searchsorted(instants, old.instants)
        for name, column in zip(_JUDGED, columns, strict=True):
            column[kept] = getattr(old, name)
        return PowerSeries(self._meter, instants, values, *columns)


def _placed(instants: Ints, judged: pd.DataFrame) -> list[Floats]:
    """The columns `_JUDGED` at each instant; NaN where there is no expected range."""
    columns = [np.full(len(instants), np.nan) for _ in _JUDGED]
    if len(judged):
        at = np.searchsorted(instants, instants_of(judged["ts"]))
        for name, column in zip(_JUDGED, columns, strict=True):
            column[at] = judged[name].to_numpy(np.float64)
    return columns


def _arrays(rows: pd.DataFrame) -> tuple[Ints, Floats]:
    if rows.empty:
        return np.empty(0, dtype=np.int64), np.empty(0)
    instants = instants_of(rows["event_time"])
    order = np.argsort(instants, kind="stable")
    return instants[order], rows["value"].to_numpy(np.float64)[order]


def _first_difference(old: Sequence[Manifest], new: Sequence[Manifest]) -> int | None:
    """The instant from which the models differ; None if all are the same."""
    for one, other in zip(old, new, strict=False):
        if one.version != other.version:
            return min(one.begin.value, other.begin.value)
    rest = [*old[len(new) :], *new[len(old) :]]
    return rest[0].begin.value if rest else None
