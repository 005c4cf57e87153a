"""Which services this process talks to: the settings, and what a running stack says of itself.

Belongs here: turning settings into adapters. Not here: Dagster (`defs`), starting services
(`local`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from usage_platform.adapters.kafka_topics import KafkaSettings
from usage_platform.adapters.lake_files import LakeFiles, load_meters
from usage_platform.adapters.lake_reader import LakeReader
from usage_platform.adapters.lake_tables import Lake
from usage_platform.adapters.model_store import ModelStore
from usage_platform.adapters.source_cache import SourceCache
from usage_platform.adapters.spark_session import own_session, remote_session
from usage_platform.core.local_time import local_day_bounds
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.playback import to_play
from usage_platform.core.reading_rows import CsvColumns
from usage_platform.core.source_readings import ReadingSource
from usage_platform.local.stack_file import read_live
from usage_platform.settings import NO_COLUMN, Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class Deployment:
    """The services and places that the settings name.

    The address of the broker and of Spark is the setting's; where that is empty, the running
    stack's on the data folder; else the default port for Kafka and a session of its own for Spark.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lake = Lake(settings.lake_root)
        self.reader = LakeReader(self.lake)

    @property
    def kafka(self) -> KafkaSettings:
        """The brokers."""
        stack = read_live(self.settings.data_dir)
        running = stack.kafka_bootstrap if stack else f"127.0.0.1:{self.settings.kafka_port}"
        return KafkaSettings(
            bootstrap=self.settings.kafka_bootstrap or running,
            partitions=self.settings.kafka_partitions,
            replication=self.settings.kafka_replication,
        )

    @contextmanager
    def spark(self) -> Iterator["SparkSession"]:
        """A Spark session on the service that owns the lake's writes, or one of this process's."""
        stack = read_live(self.settings.data_dir)
        remote = self.settings.spark_remote or (stack.spark_remote if stack else "")
        if remote:
            with remote_session(remote) as session:
                yield session
        else:
            with own_session(str(self.settings.jars_dir / "spark")) as session:
                yield session

    @cached_property
    def assets(self) -> LakeFiles:
        """Source files and the meters' descriptions."""
        return LakeFiles(self.lake.assets)

    @cached_property
    def models(self) -> ModelStore:
        """The models."""
        return ModelStore(LakeFiles(self.lake.models))

    @cached_property
    def source_cache(self) -> SourceCache:
        """The loaded source."""
        return SourceCache(self.assets)

    def registry(self) -> MeterRegistry:
        """The meters known by now."""
        return load_meters(self.assets, self.settings.default_meter)

    def readings_to_play(self) -> pd.DataFrame:
        """The loaded readings, as far as the settings let them be played.

        Returns:
            `meter`, `ts` (datetime64[ns, UTC]), `value`; sorted by ts, then meter.

        Raises:
            FileNotFoundError: Before the first load.
        """
        settings = self.settings
        first = settings.start_date
        start = None if first is None else local_day_bounds(first, settings.timezone)[0]
        return to_play(self.source_cache.readings(), start, settings.max_iterations)

    def reading_source(self) -> ReadingSource:
        """The source that the settings name.

        Raises:
            SourceError: In one line, when there is no such file.
        """
        settings = self.settings
        columns = CsvColumns(
            settings.csv_time_column,
            None if settings.csv_end_column == NO_COLUMN else settings.csv_end_column,
            settings.csv_value_column,
        )
        if settings.source == "generated":
            from usage_platform.adapters.sources.generated import GeneratedSource

            return GeneratedSource(
                _generated_meters(settings),
                settings.generated_start,
                settings.generated_days,
                settings.generated_seed,
            )
        if settings.source == "ckan":
            from usage_platform.adapters.sources.ckan import CkanSource

            return CkanSource(
                self._portal_cache,
                settings.ckan_url,
                settings.ckan_dataset,
                settings.default_meter,
                columns,
            )
        from usage_platform.adapters.sources.csv_file import CsvSource

        paths = sorted(glob(settings.source)) or [settings.source]  # noqa: PTH207 - a pattern
        return CsvSource(tuple(map(Path, paths)), settings.default_meter, columns)

    @property
    def _portal_cache(self) -> Path:
        """Pages of a portal are kept on a disk, whatever the lake is on."""
        is_remote = "://" in self.lake.root
        return (self.settings.data_dir if is_remote else Path(self.lake.assets)) / "ckan"


def _generated_meters(settings: Settings) -> tuple[Meter, ...]:
    first = settings.default_meter
    more = [f"{first.name}-{number}" for number in range(2, settings.generated_meters + 1)]
    return (first, *(Meter(n, first.timezone, first.interval_minutes) for n in more))
