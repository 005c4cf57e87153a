"""Which services this process talks to: the settings, and what a running stack says of itself.

Belongs here: turning settings into adapters. Not here: Dagster (`defs`), starting services
(`local`).
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from usage_platform.adapters.aws.athena import Athena
from usage_platform.adapters.kafka.security import (
    Iam,
    KafkaSecurity,
    Plaintext,
    Scram,
    SecurityKind,
    msk_region,
    msk_token,
)
from usage_platform.adapters.kafka.topics import KafkaSettings, KafkaUnreachableError
from usage_platform.adapters.lake.files import LakeFiles, load_meters
from usage_platform.adapters.lake.lease import Lease, writer_lease
from usage_platform.adapters.lake.lease_record import Holder, holder_of
from usage_platform.adapters.lake.lease_renewer import KeptLease, only_while_held
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.spark.session import interrupt, own_session, remote_session
from usage_platform.adapters.stores.labels import LabelStore
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.adapters.stores.reviews import ReviewStore
from usage_platform.adapters.stores.source_cache import SourceCache
from usage_platform.core.alerts.alert import AlertSink
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.pacing import to_play
from usage_platform.core.readings.source import ReadingSource
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.local.stack import name_java
from usage_platform.local.stack_file import read_live
from usage_platform.settings.settings import Settings, SettingsError
from usage_platform.wiring.sources import chosen_source, csv_paths

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class Deployment:
    """The services and places that the settings name.

    The address of the broker and of Spark is the setting's; where that is empty, the running
    stack's on the data folder; else Spark gets a session of its own.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lake = Lake(settings.lake_root)
        self.reader = LakeReader(self.lake)

    @property
    def kafka(self) -> KafkaSettings:
        """The brokers.

        Raises:
            KafkaUnreachableError: When none is set and no stack runs on the data folder: another
                folder's broker would fill this one's lake.
        """
        stack = read_live(self.settings.data_dir)
        bootstrap = self.settings.kafka_bootstrap or (stack.kafka_bootstrap if stack else "")
        if not bootstrap:
            raise KafkaUnreachableError(
                f"no Kafka is known and nothing runs on {self.settings.data_dir}: start the "
                "platform with 'usage-platform up', or set USAGE_KAFKA_BOOTSTRAP"
            )
        return KafkaSettings(
            bootstrap=bootstrap,
            partitions=self.settings.kafka_partitions,
            replication=self.settings.kafka_replication,
            security=self._kafka_security(bootstrap),
        )

    def _kafka_security(self, bootstrap: str) -> KafkaSecurity:
        settings = self.settings
        if settings.kafka_security is SecurityKind.SCRAM:
            password = settings.kafka_password.get_secret_value()
            return Scram(settings.kafka_user, password, settings.kafka_ca)
        if settings.kafka_security is SecurityKind.IAM:
            return Iam(msk_region(bootstrap), msk_token, settings.kafka_ca)
        return Plaintext()

    @contextmanager
    def spark(self) -> Iterator["SparkSession"]:
        """A Spark session to write to the lake with: on the running service, or of this process.

        One process has it at a time. A backfill that read an hour's readings just before a
        micro-batch adds one would else put the older average over the newer. The processes of this
        data folder wait for each other; another platform on the same lake is refused.

        Raises:
            LeaseError: When another platform writes to the lake, or came to do so meanwhile.
            LocalError: When a session of this process would find no Java.
        """
        stack = read_live(self.settings.data_dir)
        remote = self.settings.spark_remote or (stack.spark_remote if stack else "")
        jars = [str(self.settings.jars_dir / name) for name in ("spark", "aws")]
        if not remote:
            name_java(self.settings)
        with self._turn_to_write():
            # Before the session, which takes long to start.
            self.writer_lease.take()
            with (
                remote_session(remote) if remote else own_session(jars, self.lake) as session,
                only_while_held(KeptLease(self.writer_lease, partial(interrupt, session))),
            ):
                yield session

    @contextmanager
    def lending(self, borrower: Holder) -> Iterator[Lease]:
        """Lend the right to write to a job elsewhere, in place of a session of this machine.

        It is renewed for the job, which may take minutes to start and then does so itself. The job
        gives it back at its end, whatever has become of this process; who knows that the job has
        ended, or never began, gives it back for it.

        Returns:
            The borrower's side.

        Raises:
            LeaseError: When another platform writes to the lake, or a job of this one.
        """
        with self._turn_to_write():
            lent = self.writer_lease.lend(borrower)
            # A loss is the job's to notice and to tell: nothing is written here.
            with KeptLease(lent, lambda: None):
                yield lent

    @contextmanager
    def _turn_to_write(self) -> Iterator[None]:
        with _only_writer(self.settings.data_dir / "run" / "lake_writer"):
            try:
                yield
            finally:
                # A stack keeps the lease for as long as it runs.
                if read_live(self.settings.data_dir) is None:
                    self.writer_lease.give_back()

    @cached_property
    def writer_lease(self) -> Lease:
        """The right to write to the lake, as this data folder's."""
        return writer_lease(self.lake, holder_of(self.settings.data_dir))

    def query(self, sql: str) -> pa.Table:
        """Run SQL over the lake's tables, by Athena where the settings name it.

        Raises:
            LakeError: In one line, when the SQL is wrong or gives more rows than fit.
        """
        settings = self.settings
        if settings.athena_workgroup:
            return Athena(settings.athena_workgroup, settings.athena_database).query(sql)
        return self.reader.query(sql)

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

    @cached_property
    def labels(self) -> LabelStore:
        """What people said of stretches of time."""
        return LabelStore(self.assets)

    @cached_property
    def reviews(self) -> ReviewStore:
        """What people did about episodes."""
        return ReviewStore(self.assets)

    def judges(self) -> ModelTimeline:
        """The models that are in force, and the labels."""
        return ModelTimeline(self.models.manifests(), self.models.load, self.labels.read())

    def training_options(self) -> TrainingOptions:
        """How models are trained, the file of closing days read.

        Raises:
            SettingsError: When the file of closing days cannot be read.
        """
        path = self.settings.closed_days
        try:
            lines = path.read_text("utf-8").splitlines() if path else []
            return self.settings.training_options(lines)
        except OSError as error:
            raise SettingsError(
                f"USAGE_CLOSED_DAYS={path}: {error.strerror}; expected a file with a day such as "
                "2024-07-05 a line"
            ) from None
        except ValueError as error:
            raise SettingsError(f"USAGE_CLOSED_DAYS={path}: {error}") from None

    def registry(self) -> MeterRegistry:
        """The meters known by now."""
        return load_meters(self.assets, self.settings.default_meter)

    def alert_sinks(self) -> list[AlertSink]:
        """Where alerts go to; empty where no setting names a place."""
        from usage_platform.wiring.sinks import chosen_sinks

        settings = self.settings
        return chosen_sinks(
            webhook=(
                settings.alert_webhook_url.get_secret_value(),
                settings.alert_webhook_secret.get_secret_value(),
            ),
            slack=settings.alert_slack_url.get_secret_value(),
            mail=(
                settings.alert_smtp_url.get_secret_value(),
                settings.alert_email_to,
                settings.alert_email_from,
            ),
            sns=settings.alert_sns_topic,
            mqtt=(
                settings.alert_mqtt_url.get_secret_value(),
                settings.alert_mqtt_topic,
                settings.alert_mqtt_certificate,
            ),
        )

    @property
    def source_label(self) -> str:
        """The chosen source with all that changes what it holds: settings, and files' states."""
        states = [
            f"{path.name}:{path.stat().st_size}:{path.stat().st_mtime_ns}"
            for path in csv_paths(self.settings)
            if path.exists()
        ]
        return " ".join([self.settings.source_label, *states])

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
        return chosen_source(self.settings, self._portal_cache)

    @property
    def _portal_cache(self) -> Path:
        """Pages of a portal are kept on a disk, whatever the lake is on."""
        is_remote = "://" in self.lake.root
        return (self.settings.data_dir if is_remote else Path(self.lake.assets)) / "ckan"


@contextmanager
def _only_writer(lock_file: Path) -> Iterator[None]:
    """Wait until no other process writes; the system frees the lock when its holder ends."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
