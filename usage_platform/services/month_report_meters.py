"""The profile report's meters: their rows of the lake, scored and drawn.

Belongs here: which rows a month needs. Not here: calculations (`core.load.month`,
`core.load.seasons`), drawing (`profile_plots`, `model_plots`), the page (`profile_report`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from usage_platform.adapters.drawing.model_plots import expected_week, range_map
from usage_platform.adapters.drawing.month_plots import (
    distribution,
    month_map,
    seasons,
    unusual_days,
)
from usage_platform.adapters.drawing.plots import weekday_profile
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import ANOMALIES, READINGS, USAGE_HOURLY, LakeTable
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.anomalies.anomaly import ANOMALY_COLUMNS
from usage_platform.core.anomalies.episode_summary import (
    Episode,
    standing_episodes,
    whole_episodes,
)
from usage_platform.core.detector.describe import in_words
from usage_platform.core.detector.manifest import Model
from usage_platform.core.load.month import Month, Profile, profile
from usage_platform.core.load.seasons import daily_means, first_of_seasons, monthly
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.series import ReadingHistory
from usage_platform.core.time.calendar import Calendar
from usage_platform.services.month_report import MOST_METERS, Picture, Section

_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class ReportSource:
    """Where a report's content comes from.

    Attributes:
        reader: The lake's tables.
        models: The models.
        registry: The known meters.
        calendar: The rest days.
    """

    reader: LakeReader
    models: ModelStore
    registry: MeterRegistry
    calendar: Calendar

    def meters(self, month: Month) -> list[str]:
        """The meters with hours in a month, those with most energy first.

        Raises:
            LakeError: Where there is no table yet.
        """
        # A local month reaches into the UTC days beside it.
        first, last = month.first - _A_DAY, month.last + _A_DAY
        hours = self.reader.rows(USAGE_HOURLY, ["meter", "start", "energy_kwh"], first, last)
        found = [
            (-own["energy_kwh"].sum(), str(name))
            for name, rows in hours.groupby("meter")
            if len(own := _within(rows, "start", month, self.registry.get(str(name))))
        ]
        return [name for _, name in sorted(found)]

    def sections(self, month: Month, names: list[str]) -> Iterator[Section]:
        """The section of each meter; none for one without readings in the month.

        Args:
            month: The month.
            names: The meters; the report shows at most `MOST_METERS` of them.
        """
        model = self._model(month)
        for name in names[:MOST_METERS]:
            meter = self.registry.get(name)
            found = self._profile(month, meter)
            if found is not None:
                yield self._section(found, model)

    def _profile(self, month: Month, meter: Meter) -> Profile | None:
        start, end = month.context(meter)
        history = ReadingHistory()
        columns = ["meter", "event_time", "value"]
        history.add(self._rows(READINGS, meter, start, end, columns))
        series = history.of(meter.name).since(start.value)
        return profile(series, month, meter, self.calendar)

    def _section(self, found: Profile, model: Model | None) -> Section:
        month, meter = found.month, found.meter
        end = month.bounds(meter)[1]
        oldest = Month(first_of_seasons(month.first)).bounds(meter)[0]
        hours = self._rows(USAGE_HOURLY, meter, oldest, end)
        hours = hours[(hours["start"] >= oldest) & (hours["start"] < end)]
        return Section(
            found,
            monthly(hours, meter),
            episodes_of_month(self.reader, month, meter),
            [*_pictures(found, hours), *_of_model(model, meter)],
            _words(model, meter),
        )

    def _rows(
        self,
        table: LakeTable,
        meter: Meter,
        start: pd.Timestamp,
        end: pd.Timestamp,
        columns: list[str] | None = None,
    ) -> pd.DataFrame:
        return self.reader.rows(table, columns, start.date(), end.date(), [meter.name])

    def _model(self, month: Month) -> Model | None:
        """The newest model that scored the month, or a part of it."""
        end = month.bounds(self.registry.default)[1]
        judged = [one for one in self.models.manifests() if one.begin < end]
        return self.models.load(judged[-1].version) if judged else None


def episodes_of_month(reader: LakeReader, month: Month, meter: Meter) -> list[Episode]:
    """The episodes of a meter that overlap a local month, whole, by start."""
    if not reader.exists(ANOMALIES):
        return []
    start, end = month.bounds(meter)

    def read(first: date, last: date) -> pd.DataFrame:
        return reader.rows(ANOMALIES, ANOMALY_COLUMNS, first, last, [meter.name])

    rows = whole_episodes(read, start.date(), end.date())
    return [one for one in standing_episodes(rows, meter)[::-1] if one.overlaps(start, end)]


def _within(rows: pd.DataFrame, time: str, month: Month, meter: Meter) -> pd.DataFrame:
    start, end = month.bounds(meter)
    return rows[(rows[time] >= start) & (rows[time] < end)]


def _pictures(found: Profile, hours: pd.DataFrame) -> Iterator[Picture]:
    times = pd.DatetimeIndex(found.series.instants).tz_localize("UTC")
    readings = pd.DataFrame({"event_time": times, "value": found.series.values})
    yield Picture(
        "The month",
        "Each row is a day, each column a time of day. White is missing, but for the hour that the "
        "clocks skip in spring.",
        month_map(found),
    )
    yield Picture(
        "Weekdays and times of day",
        "Mean power at each weekday and time of day of the month.",
        weekday_profile(readings, found.meter),
    )
    if found.unusual:
        days = ", ".join(f"{one.day:%a} {one.day.day}" for one in found.unusual)
        yield Picture(
            "The most unusual days",
            f"{days}: the day in red over what is usual for its weekday (twice the usual deviation "
            "shaded), by the month, the eight weeks before it, and the level of the days around.",
            unusual_days(found),
        )
    yield Picture(
        "How much power for how long",
        "Hours of the month at each power.",
        distribution(found),
    )
    if len(hours):
        yield Picture(
            "Seasons",
            "Mean of each day with its lowest and highest reading, over up to thirteen months.",
            seasons(daily_means(hours, found.meter), found),
        )


def _of_model(model: Model | None, meter: Meter) -> Iterator[Picture]:
    if model is None or meter.name not in model.detectors:
        return
    detector = model.detectors[meter.name]
    yield Picture(
        "What the model expects",
        "The expected power of each slot of a week with its ordinary range.",
        expected_week(detector),
    )
    yield Picture(
        "How sure the model is",
        "The width of that range at each weekday and time of day: dark is sure.",
        range_map(detector),
    )


def _words(model: Model | None, meter: Meter) -> str:
    if model is None or meter.name not in model.detectors:
        return ""
    manifest = model.manifest
    learned = manifest.end.tz_convert(meter.zone)
    return (
        f"Version {manifest.version} ({manifest.method}) has learned from the readings before "
        f"{learned:%Y-%m-%d}. {in_words(model.detectors[meter.name])}"
    )
