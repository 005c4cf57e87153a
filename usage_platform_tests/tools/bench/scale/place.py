"""Where a stage finds what it works on, and the lakes that are made for a size.

Belongs here: the tables, models and events of a size. Not here: the stages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pandas as pd

from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import Lake
from usage_platform_tests.tools.bench.made_models import copied_model
from usage_platform_tests.tools.bench.made_readings import (
    FIRST,
    fill_hours,
    fill_readings,
    readings_of,
)
from usage_platform_tests.tools.bench.scale.curve import Axis, Size
from usage_platform_tests.tools.bench.scorer_memory import STATE_DAYS
from usage_platform_tests.tools.bench.workbench import Workbench

_HOUR_DAYS = 36


@dataclass(frozen=True)
class Place:
    """What a stage works on at one size; it can be pickled.

    Attributes:
        size: The size.
        folder: Holds the lakes, and gets what a stage writes.
        kafka: The broker; on its topic `usage` wait the size's events, before they are published
            none.
        spark_url: The Spark service.
        leaders: The processes of both.
    """

    size: Size
    folder: Path
    kafka: KafkaSettings
    spark_url: str
    leaders: Sequence[int]

    @property
    def lake(self) -> Lake:
        """Readings, hours and a model of all that came before the events on the topic."""
        return Lake(str(self.folder / "lake"))

    @property
    def reader(self) -> LakeReader:
        """The tables of `lake`."""
        return LakeReader(self.lake)

    @property
    def new_lake(self) -> Lake:
        """Without a row; by months with the model, as all of the events on the topic are scored."""
        return Lake(str(self.folder / "new"))

    @property
    def history_days(self) -> int:
        """Days of readings in `lake`."""
        return STATE_DAYS if self.size.axis is Axis.METERS else self.size.days

    def events(self) -> pd.DataFrame:
        """The readings for the topic: those of the day after the lake's, or all of its days."""
        skipped = self.history_days if self.size.axis is Axis.METERS else 0
        return readings_of(self.size.meters, self.size.days, skipped)

    @property
    def end(self) -> pd.Timestamp:
        """The end of the readings in `lake`, UTC."""
        return pd.Timestamp(FIRST, tz="UTC") + pd.Timedelta(days=self.history_days)


def prepared(bench: Workbench, size: Size) -> Place:
    """Make the lakes of a size, and empty the topics."""
    place = Place(size, bench.new_folder(), bench.fresh_kafka(), bench.spark_url, bench.leaders)
    days = place.history_days
    fill_readings(place.lake, size.meters, days)
    first = max(days - _HOUR_DAYS, 0) if size.axis is Axis.METERS else 0
    fill_hours(place.lake, size.meters, first, days - first)
    create_tables(place.new_lake)
    if size.axis is Axis.METERS:
        copied_model(place.lake, size.meters, FIRST + timedelta(days=days))
    else:
        for lake in (place.lake, place.new_lake):
            copied_model(lake, size.meters, FIRST)
    return place
