"""The whole platform on this machine: broker, Spark, Dagster, the page, in one supervisor.

Belongs here: which services there are, what they tell each other, and what of this machine's they
run on. Not here: one service's command (its own file), what people do with the stack (`console`).
"""

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from secrets import token_urlsafe
from types import TracebackType
from typing import Self

from usage_platform.adapters.kafka.security import LoopbackPassword
from usage_platform.adapters.lake.holder_id import holder_of
from usage_platform.adapters.lake.lease import writer_lease
from usage_platform.adapters.lake.lease_renewer import LeaseRenewer
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.spark.session import executors_conf, spark_conf
from usage_platform.local.broker import BROKER_USER, broker_service
from usage_platform.local.dagster_jobs import launch_job
from usage_platform.local.dagster_services import dagster_services
from usage_platform.local.errors import LocalError
from usage_platform.local.jars import JarFolders, ensure_jars
from usage_platform.local.java import MAX_VERSION, MIN_VERSION, JavaHome, ensure_java, find_java
from usage_platform.local.page_service import page_service
from usage_platform.local.ports import LOOPBACK, PortClaims, socket_path
from usage_platform.local.process import Service
from usage_platform.local.sessions import reap_all
from usage_platform.local.spark_cluster import SparkCluster, cluster_services, tasks_at_once
from usage_platform.local.spark_service import SparkEndpoint, spark_service
from usage_platform.local.stack_file import StackFile
from usage_platform.local.supervisor import Supervisor
from usage_platform.settings.settings import PREFIX, Settings

_CONTROLLER_PORT_ABOVE = 1

Say = Callable[[str], None]


def set_up(settings: Settings, say: Say, progress: Say) -> tuple[JavaHome, JarFolders]:
    """Make sure that a Java and the jars are there; downloads what is missing, once.

    Raises:
        LocalError: In one line, when something cannot be had.
    """
    java = ensure_java(settings.jars_dir.parent, os.environ, say)
    folder, for_aws = settings.jars_dir, settings.uses_aws
    jars = ensure_jars(folder, java, os.environ, say, progress, for_aws)
    return java, jars


def record_archives_of(java: JavaHome, jars: JarFolders, say: Say, progress: Say) -> None:
    """Record the archives of classes from which the services start faster (`record_archives`)."""
    # Late: it imports what the services do.
    from usage_platform.local.archive_recording import record_archives

    record_archives(java, jars, os.environ, say, progress)


def name_java(settings: Settings) -> None:
    """Name the Java that fits in this process's JAVA_HOME, for a Spark session of its own.

    Spark itself looks at JAVA_HOME and PATH alone, and not where set-up may have fetched one to.

    Raises:
        LocalError: When none fits.
    """
    java = find_java(os.environ, settings.jars_dir.parent)
    if java is None:
        raise LocalError(
            f"no Java {MIN_VERSION} to {MAX_VERSION} found for a Spark session of this process: "
            "run make setup, or set JAVA_HOME"
        )
    os.environ["JAVA_HOME"] = str(java.home)


class Stack:
    """A running platform; a context manager that stops everything at its end.

    Uses the servers that the settings name and starts the others.

    Args:
        settings: What a deployment can choose.
        say: Called with each event as a line.
        progress: Called with how long a start has been waited for.
        has_page: Whether the analyst's page is served too.
    """

    def __init__(
        self, settings: Settings, say: Say, progress: Say, *, has_page: bool = False
    ) -> None:
        self._given = settings
        self._has_page = has_page
        self._say = say
        self._progress = progress
        self._lock = StackFile(settings.data_dir)
        self._lease = writer_lease(Lake(settings.lake_root), holder_of(settings.data_dir))
        self._kept = LeaseRenewer(self._lease, on_lost=lambda: None, may_lend=True)
        self._ports = PortClaims()
        self._supervisor: Supervisor | None = None
        self._login: LoopbackPassword | None = None
        self._cluster: SparkCluster | None = None
        self.settings = settings
        self.kafka = settings.kafka_bootstrap
        self.ui_url = ""
        self.page_url: str | None = None
        self._env: Mapping[str, str] = {}

    def __enter__(self) -> Self:
        """Start what is needed, and wait until all of it answers.

        Raises:
            LocalError: In one line, when something does not come up.
            LeaseError: In one line, when another platform writes to the lake.
        """
        self._lock.__enter__()
        try:
            self._kept.__enter__()
        except BaseException:
            self._lock.__exit__(None, None, None)
            raise
        try:
            # Before ports are chosen: what was left may still hold them.
            if reap_all(self._given.data_dir / "run"):
                self._say("stopped what a killed platform had left running")
            services = self._plan()
            self._supervisor = Supervisor(services, self._say, self._progress)
            # Written first: the code server's definitions look for it.
            self._lock.write(
                self.kafka,
                self.settings.spark_remote,
                self.ui_url,
                self.page_url,
                self._login.password if self._login else "",
                self._cluster.addresses if self._cluster else (),
            )
            self._supervisor.start()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything, in reverse order, and give all back though that is broken off."""
        try:
            if self._supervisor is not None:
                self._supervisor.stop()
        finally:
            self._leave()

    def _leave(self) -> None:
        """Give back what a platform holds, each whatever becomes of the others."""
        with ExitStack() as last_in_first_out:
            last_in_first_out.callback(self._lock.__exit__, None, None, None)
            last_in_first_out.callback(self._lease.give_back)
            last_in_first_out.callback(self._kept.__exit__)
            last_in_first_out.callback(self._ports.release)

    def look(self) -> None:
        """Start again what has died; to be called every second or so, by one thread.

        Raises:
            LeaseError: When another platform has come to write to the lake.
        """
        assert self._supervisor is not None, "the stack is entered first"  # noqa: S101
        self._kept.check()
        self._supervisor.look()

    def launch_job(self, job: str, tags: Mapping[str, str]) -> str:
        """Queue a run of one of Dagster's jobs; `dagster_jobs.launch_job`.

        Raises:
            LocalError: In one line, when it cannot be queued.
        """
        return launch_job(self.settings.data_dir, self._env, job, tags)

    def _plan(self) -> list[Service]:
        """The services to start; fills in their addresses."""
        given, say = self._given, self._say

        def port(preferred: int, name: str) -> int:
            return self._ports.take(preferred, name, say)

        data, lake = given.data_dir, Lake(given.lake_root)
        # Settings come from the settings alone: a demo, for one, has none on alerts.
        others = {key: text for key, text in os.environ.items() if not key.startswith(PREFIX)}
        services = []
        spark = given.spark_remote
        if spark and given.spark_workers:
            raise LocalError(
                "USAGE_SPARK_WORKERS: workers are those of the embedded Spark; set it to 0, or "
                "USAGE_SPARK_REMOTE to nothing"
            )
        if given.starts_java:
            java, jars = set_up(given, say, self._progress)
            if not self.kafka:
                broker = port(given.kafka_port, "kafka")
                controller = port(broker + _CONTROLLER_PORT_ABOVE, "kafka controller")
                self.kafka = f"{LOOPBACK}:{broker}"
                self._login = LoopbackPassword(BROKER_USER, token_urlsafe())
                places = (data, others, broker, controller)
                services.append(broker_service(java, jars.kafka, *places, self._login))
            if not spark:
                endpoint = SparkEndpoint(port(given.spark_port, "spark"))
                spark = endpoint.url
                conf = spark_conf(lake)
                if given.spark_workers:
                    pages = [port(given.spark_port + 1, "spark-master's page")]
                    for number in range(1, given.spark_workers + 1):
                        pages.append(port(pages[-1] + 1, f"spark-worker-{number}'s page"))
                    master = port(pages[-1] + 1, "spark-master")
                    self._cluster = cluster = SparkCluster(master, tuple(pages))
                    services += cluster_services(java, jars.spark, data, others, cluster)
                    tasks = tasks_at_once(given.spark_workers)
                    conf = {**executors_conf(lake, tasks), **cluster.service_conf(jars.spark)}
                services.append(spark_service(java, jars.spark, data, others, endpoint, conf))
        ui_port = port(given.ui_port, "ui")
        self.ui_url = f"http://{LOOPBACK}:{ui_port}"
        # The broker's address and password are in the stack's file, which its processes read.
        self.settings = given.model_copy(update={"spark_remote": spark, "data": data})
        env = {**others, **self.settings.environment(with_secrets=True)}
        self._env = env
        services += dagster_services(data, env, socket_path(data, "code"), ui_port)
        if self._has_page:
            page_port = port(given.page_port, "page")
            self.page_url = f"http://{LOOPBACK}:{page_port}"
            services.append(page_service(data, env, page_port))
        return services
