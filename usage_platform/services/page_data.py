"""The page's data in memory: the meters viewed lately, each over a year.

Belongs here: which meters and years are held, and how often the lake is checked for a new version.
Not here: one meter's readings (`meter_load`), presenting them (`web`).
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256

import numpy as np
import pandas as pd

from usage_platform.adapters.lake.meter_days import MeterDays
from usage_platform.adapters.lake.reader import DayFiles, LakeReader
from usage_platform.adapters.lake.tables import ANOMALIES, READINGS, LakeTable
from usage_platform.core.anomalies.anomaly import ANOMALY_COLUMNS, no_anomalies
from usage_platform.core.anomalies.episode_summary import (
    Episode,
    standing_episodes,
    whole_episodes,
)
from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.load.series import PowerSeries
from usage_platform.core.meters import Meter
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.services.meter_load import MeterPower

MOST_HELD = 8
"""The most meters' years in memory, about 6 MB each at five minutes."""

MOST_AHEAD = 5000
"""The most readings kept that the lake does not have yet; it is rarely more than a batch behind."""

ASKED_EVERY_SECONDS = 1.0
MODELS_EVERY_SECONDS = 5.0
DAYS_SHOWN = 366

_EPISODES_BEFORE = timedelta(days=2)
_A_DAY = timedelta(days=1)
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, eq=False)
class Year:
    """A meter's year as of some versions of the tables.

    Attributes:
        version: Changes whenever what is shown may have changed.
        power: The readings with what was expected.
        anomalies: Anomalies that were not withdrawn (`ANOMALY_COLUMNS`), those of whole episodes.
        episodes: Their episodes, the newest first.
        first: The first local day.
        last: The last local day, inclusive.
        expected_since: From when on the meter's readings are expected, ns since 1970 UTC: from the
            first local day if there are older readings, else from the first reading.
        years: The calendar years of which the lake has readings, of any meter.
    """

    version: str
    power: PowerSeries
    anomalies: pd.DataFrame
    episodes: tuple[Episode, ...]
    first: date
    last: date
    expected_since: int
    years: tuple[int, ...]


class YearCache:
    """The years that users view.

    Args:
        reader: The lake's tables.
        timeline: Gives the active models.
        clock: Seconds of a monotonic clock.
    """

    def __init__(
        self, reader: LakeReader, timeline: Callable[[], ModelTimeline], clock: Callable[[], float]
    ) -> None:
        self._reader = reader
        self._timeline = timeline
        self._clock = clock
        self._lock = threading.Lock()
        self._meters: tuple[Mapping[date, frozenset[str]], list[str]] | None = None
        self._known_timeline: tuple[float, ModelTimeline] | None = None
        self._asked: dict[str, tuple[float, DayFiles]] = {}
        self._held: OrderedDict[tuple[Meter, int | None], _HeldYear] = OrderedDict()

    def version(self) -> str:
        """Changes whenever the tables `readings` or `anomalies` do."""
        with self._lock:
            return f"{self._files(READINGS).version}-{self._files(ANOMALIES).version}"

    def meters(self) -> list[str]:
        """The meters with readings in the last two days of the lake, sorted."""
        with self._lock:
            days = self._files(READINGS).files
        if not days:
            return []
        newest = max(days)
        last_two = {day: files for day, files in days.items() if day >= newest - _A_DAY}
        if self._meters is None or self._meters[0] != last_two:
            rows = self._reader.rows(READINGS, ["meter"], newest - _A_DAY)
            self._meters = last_two, sorted(rows["meter"].unique())
        return self._meters[1]

    def year(self, meter: Meter, year: int | None) -> Year:
        """A meter's readings of a calendar year, or of the last 366 days of the lake.

        Args:
            meter: The meter.
            year: The local calendar year; None for the last days.

        Raises:
            LakeError: When the lake cannot be read.
        """
        with self._lock:
            readings, anomalies = self._files(READINGS), self._files(ANOMALIES)
            held = self._held.pop((meter, year), None) or _HeldYear(self._reader, meter)
            self._held[meter, year] = held
            while len(self._held) > MOST_HELD:
                self._held.popitem(last=False)
            timeline = self._in_force()
        first, last = _span(readings, year)
        return held.as_of(readings, anomalies, timeline, first, last)

    def _in_force(self) -> ModelTimeline:
        """The active models, read at most every few seconds."""
        now = self._clock()
        if self._known_timeline is None or now - self._known_timeline[0] >= MODELS_EVERY_SECONDS:
            self._known_timeline = now, self._timeline()
        return self._known_timeline[1]

    def ahead(self, meter: Meter, instants: Ints, values: Floats) -> PowerSeries | None:
        """Readings that have just arrived, with their expected ranges.

        Args:
            meter: The meter.
            instants: Interval starts, ns since 1970 UTC, ascending, each once; at least one.
            values: Their powers, kW.

        Returns:
            Those that the lake does not have yet; None while nobody views the meter.
        """
        with self._lock:
            held = self._held.get((meter, None))
            timeline = self._in_force()
        return None if held is None else held.ahead(instants, values, timeline)

    def _files(self, table: LakeTable) -> DayFiles:
        """The table's files, listed at most every second."""
        now = self._clock()
        at, files = self._asked.get(table.name, (-ASKED_EVERY_SECONDS, None))
        if files is None or now - at >= ASKED_EVERY_SECONDS:
            files = self._reader.day_files(table)
            self._asked[table.name] = now, files
        return files


class _HeldYear:
    """One meter's year; one thread at a time updates it."""

    def __init__(self, reader: LakeReader, meter: Meter) -> None:
        self._meter = meter
        self._power = MeterPower(reader, meter)
        self._anomalies = MeterDays(reader, ANOMALIES, ANOMALY_COLUMNS, meter.name)
        self._odd = no_anomalies()
        self._episodes: tuple[Episode, ...] = ()
        self._span: tuple[date, date] | None = None
        self._whole_span = (_EPOCH, _EPOCH)
        self._ahead: dict[int, float] = {}
        self._lock = threading.Lock()

    def ahead(self, instants: Ints, values: Floats, timeline: ModelTimeline) -> PowerSeries:
        """The newer of some readings, scored; they are kept until the lake has them."""
        with self._lock:
            newest = self._power.newest
            self._ahead |= dict(zip(instants.tolist(), values.tolist(), strict=True))
            known = sorted((at, kw) for at, kw in self._ahead.items() if at > newest)
            self._ahead = dict(known[-MOST_AHEAD:])
            new = instants[instants > newest]
            if not len(new):
                return PowerSeries.unscored(self._meter, new, values[:0])
            times = np.array(list(self._ahead), dtype=np.int64)
            powers = np.array(list(self._ahead.values()), dtype=np.float64)
            return self._power.ahead(times, powers, timeline, int(new[0]))

    def as_of(
        self,
        readings: DayFiles,
        anomalies: DayFiles,
        timeline: ModelTimeline,
        first: date,
        last: date,
    ) -> Year:
        bounds = (local_day_bounds(day, self._meter.timezone) for day in (first, last))
        (start, _), (_, end) = bounds
        with self._lock:
            days = start.date(), end.date()
            power = self._power.as_of(readings, timeline, *days)
            self._follow_anomalies(anomalies, days[0] - _EPISODES_BEFORE, days[1])
            standing, episodes = self._odd, self._episodes
        in_force = "".join(manifest.version for manifest in timeline.manifests)
        version = f"{readings.version}-{anomalies.version}-{first}-{last}-{in_force}"
        return Year(
            version=sha256(version.encode()).hexdigest()[:16],
            power=power.between(start.value, end.value),
            anomalies=standing,
            episodes=episodes,
            first=first,
            last=last,
            expected_since=max(start.value, self._power.oldest),
            years=tuple(sorted({day.year for day in readings.files})),
        )

    def _follow_anomalies(self, files: DayFiles, first: date, last: date) -> None:
        """Bring the anomalies and their episodes up to date; UTC days, `last` inclusive."""
        if self._span != (first, last):
            self._span = self._whole_span = first, last
        # The days beyond the span that whole episodes needed are held as well.
        if not self._anomalies.follow(files, *self._whole_span):
            return

        def read(begin: date, end: date) -> pd.DataFrame:
            self._whole_span = begin, end
            self._anomalies.follow(files, begin, end)
            return self._anomalies.rows()

        self._odd = whole_episodes(read, first, last)
        self._episodes = tuple(standing_episodes(self._odd, self._meter))


def _span(readings: DayFiles, year: int | None) -> tuple[date, date]:
    if year is not None:
        return date(year, 1, 1), date(year, 12, 31)
    newest = max(readings.files, default=_EPOCH + DAYS_SHOWN * _A_DAY)
    return newest - (DAYS_SHOWN - 1) * _A_DAY, newest
