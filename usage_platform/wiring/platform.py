"""The platform's clients, stores and services, built from the settings.

Belongs here: turning settings into adapters and services. Not here: what these do, Dagster
(`defs`), starting services (`local`).
"""

from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from usage_platform.adapters.aws.athena import Athena
from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.holder_id import holder_of
from usage_platform.adapters.lake.lease import Lease, sink_lease, writer_lease
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.processes.pool import processors
from usage_platform.adapters.spark.session import own_session, remote_session
from usage_platform.adapters.stores.cost_record import CostRecord
from usage_platform.adapters.stores.labels import LabelStore
from usage_platform.adapters.stores.meters import MetersStore
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.adapters.stores.playback_record import PlaybackRecords
from usage_platform.adapters.stores.reviews import ReviewStore
from usage_platform.adapters.stores.source_cache import SourceCache
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.source import ReadingSource
from usage_platform.local.spark_cluster import tasks_at_once
from usage_platform.local.stack import name_java
from usage_platform.local.stack_file import read_live
from usage_platform.services.lake_writer import LakeWriter
from usage_platform.services.playback_plan import PlaybackPlan
from usage_platform.services.score_silence import SilenceRule
from usage_platform.services.sink_turn import SinkTurn
from usage_platform.settings.closing_days import chosen_calendar
from usage_platform.settings.settings import Settings
from usage_platform.wiring.kafka import chosen_kafka
from usage_platform.wiring.known_meters import default_meter, known_meters
from usage_platform.wiring.sources import chosen_source, described_identity, source_identity

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from usage_platform.adapters.stores.alert_routes import RouteStore
    from usage_platform.adapters.stores.groups import GroupsStore
    from usage_platform.adapters.stores.tariffs import TariffStore
    from usage_platform.core.tariffs.book import TariffBook
    from usage_platform.services.usage_cost import CostInputs


class Platform:
    """The services and places that the settings name.

    The addresses of the broker and of Spark are those of the settings; where these are empty, those
    of the stack that runs on the data folder. Without either, Spark gets a session of this process.

    Args:
        settings: What a deployment can choose.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lake = Lake(settings.lake_root)
        self.reader = LakeReader(self.lake)

    @property
    def kafka(self) -> KafkaSettings:
        """The brokers.

        Raises:
            KafkaUnreachableError: When none is set and no stack runs on the data folder. The broker
                of another folder's stack is never used: it would fill this folder's lake.
        """
        return chosen_kafka(self.settings)

    @cached_property
    def lake_writer(self) -> LakeWriter:
        """Write access to the lake for this data folder; a running stack keeps the lease."""
        data = self.settings.data_dir
        return LakeWriter(
            self.writer_lease,
            self.lake,
            lock_file=data / "run" / "lake_writer",
            open_session=self.spark_session,
            keeps_lease=lambda: read_live(data) is not None,
        )

    @property
    def executor_tasks(self) -> int:
        """How many tasks the executors of Spark's workers run at once; 0 without workers."""
        return tasks_at_once(self.settings.spark_workers)

    def spark_session(self) -> AbstractContextManager["SparkSession"]:
        """Opens a session on the Spark service, or in this process where there is none.

        Raises:
            LocalError: When a session of this process would find no Java.
        """
        stack = read_live(self.settings.data_dir)
        remote = self.settings.spark_remote or (stack.spark_remote if stack else "")
        if remote:
            return remote_session(remote)
        name_java(self.settings)
        jars = [str(self.settings.jars_dir / name) for name in ("spark", "aws")]
        return own_session(jars, self.lake)

    @cached_property
    def writer_lease(self) -> Lease:
        """The lease on the lake, as this data folder's."""
        return writer_lease(self.lake, holder_of(self.settings.data_dir))

    def sink_turn(self, sink: str) -> SinkTurn:
        """The right to send one sink's alerts: among hosts too where the lake is on S3."""
        data = self.settings.data_dir
        is_shared = "://" in self.lake.root
        lease = sink_lease(self.lake, sink, holder_of(data)) if is_shared else None
        return SinkTurn(data / "run" / f"alerts_{sink}", lease)

    @cached_property
    def sql(self) -> Athena | LakeReader:
        """Runs SQL over the lake's tables: Athena where the settings name it, else DuckDB."""
        settings = self.settings
        if settings.athena_workgroup:
            return Athena(settings.athena_workgroup, settings.athena_database)
        return self.reader

    @cached_property
    def assets(self) -> LakeFiles:
        """Source files and the meters' descriptions."""
        return LakeFiles(self.lake.assets)

    @cached_property
    def models(self) -> ModelStore:
        """The trained models."""
        return ModelStore(LakeFiles(self.lake.models))

    @cached_property
    def source_cache(self) -> SourceCache:
        """The loaded source."""
        return SourceCache(self.assets)

    @cached_property
    def labels(self) -> LabelStore:
        """The labels that people gave to stretches of time."""
        return LabelStore(self.assets)

    @cached_property
    def reviews(self) -> ReviewStore:
        """The reviews of episodes."""
        return ReviewStore(self.assets)

    @cached_property
    def groups(self) -> "GroupsStore":
        """The file of sites, buildings and virtual meters."""
        # Jobs on EMR have no YAML.
        from usage_platform.adapters.stores.groups import GroupsStore

        return GroupsStore(self.assets)

    @cached_property
    def tariffs(self) -> "TariffStore":
        """The file of tariffs."""
        # Jobs on EMR have no YAML, and need none.
        from usage_platform.adapters.stores.tariffs import TariffStore

        return TariffStore(self.assets)

    @cached_property
    def routes(self) -> "RouteStore":
        """The file of targets and routes of alerts."""
        # Jobs on EMR have no YAML.
        from usage_platform.adapters.stores.alert_routes import RouteStore

        return RouteStore(self.assets)

    def tariff_book(self) -> "TariffBook":
        """The tariffs: those of the file or, where there is none, the price of the settings.

        Raises:
            LakeError: In one line, when the file cannot be read or has a mistake.
        """
        from usage_platform.core.tariffs.book import TariffBook
        from usage_platform.core.tariffs.tariff import flat_tariff

        price = self.settings.tariff
        flat = () if price is None else (flat_tariff(price, self.settings.currency),)
        return self.tariffs.read() or TariffBook(flat)

    def cost_inputs(self) -> "CostInputs":
        """What the table `usage_cost` is computed from.

        Raises:
            LakeError: In one line, when the tariff file cannot be read or has a mistake.
        """
        from usage_platform.services.usage_cost import CostInputs

        return CostInputs(self.reader, self.tariff_book(), self.registry())

    @cached_property
    def cost_record(self) -> CostRecord:
        """From what the months of `usage_cost` were computed."""
        return CostRecord(self.assets)

    def timeline(self) -> ModelTimeline:
        """The models that are promoted, and the labels."""
        return ModelTimeline(self.models.manifests(), self.models.load, self.labels.read())

    def training_options(self) -> TrainingOptions:
        """How models are trained, the file of closing days read.

        Raises:
            SettingsError: When the file of closing days cannot be read.
        """
        return self.settings.training_options(chosen_calendar(self.settings))

    @cached_property
    def meters(self) -> MetersStore:
        """The file of people's descriptions of meters."""
        return MetersStore(self.assets)

    def meters_notice(self) -> str:
        """What is to be said while `meters.yaml` has a mistake, in one line; else empty.

        Raises:
            LakeError: As for `registry`.
        """
        return self.meters.applied().notice

    def registry(self) -> MeterRegistry:
        """The known meters, and the limits of their events.

        Raises:
            LakeError: In one line, when no descriptions of people apply, or they contradict
                settings.
        """
        return known_meters(self.assets, self.meters, self.settings)

    def default_meter(self) -> Meter:
        """The meter of the settings, with what people say of it.

        Raises:
            LakeError: As for `registry`.
        """
        return default_meter(self.meters, self.settings)

    def playback_plan(self) -> PlaybackPlan:
        """Which readings of the chosen source are played.

        Raises:
            LakeError: When the lake cannot be read, or no descriptions of people apply.
        """
        settings = self.settings
        summary = self.source_cache.summary()
        loaded = () if summary is None else summary.last
        identity = source_identity(settings)
        return PlaybackPlan(
            self.source_cache,
            PlaybackRecords(self.assets),
            described_identity(identity, self.meters.applied().descriptions, loaded),
            settings.timezone,
            settings.start_date,
            settings.max_iterations,
        )

    @property
    def scorers(self) -> int:
        """The most scorers: those of the settings, else one for each processor."""
        return self.settings.scorers or processors()

    def silence_rule(self) -> SilenceRule:
        """When a meter counts as silent."""
        least = pd.Timedelta(minutes=self.settings.silent_minutes)
        return SilenceRule(least, self.playback_plan().ends)

    def reading_source(self) -> ReadingSource:
        """The source that the settings name.

        Raises:
            SourceError: In one line, when there is no such file.
            LakeError: As for `registry`.
        """
        # A setting that contradicts a description is refused before anything is read.
        self.default_meter()
        descriptions = self.meters.applied().descriptions
        return chosen_source(self.settings, self._portal_cache, descriptions)

    @property
    def _portal_cache(self) -> Path:
        """Downloaded pages of a portal are kept on disk, wherever the lake is."""
        is_remote = "://" in self.lake.root
        return (self.settings.data_dir if is_remote else Path(self.lake.assets)) / "ckan"
