"""What rows are measured on: a broker and a warm Spark service of the bench's own, and folders.

Belongs here: starting both when a row first needs them, fresh topics, a folder that goes away. Not
here: rows.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path

from usage_platform.adapters.kafka.topics import KafkaSettings, ensure_topics
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.spark.session import executors_conf, remote_session, spark_conf
from usage_platform.local.broker import broker_service
from usage_platform.local.jars import JarFolders
from usage_platform.local.java import JavaHome
from usage_platform.local.ports import free_port
from usage_platform.local.process import ChildProcess, Service
from usage_platform.local.spark_cluster import SparkCluster, cluster_services, tasks_at_once
from usage_platform.local.spark_service import SparkEndpoint, spark_service
from usage_platform.local.stack import set_up
from usage_platform.settings.settings import Settings
from usage_platform_tests.tools.bench.profiling import ProfiledTurn
from usage_platform_tests.topics import renew_topics


def _quiet(_: str) -> None:
    """The bench prints its table and nothing else."""


class Workbench:
    """The services of a bench, and where its rows put their files.

    Args:
        folder: An empty folder.
        stack: Stops what was started.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._ports: list[int] = []
        self._children: list[ChildProcess] = []
        self.turn: ProfiledTurn | None = None
        """Profiles the batches of a micro-batch, where that is asked for."""

    def new_folder(self) -> Path:
        """An empty folder."""
        return Path(tempfile.mkdtemp(dir=self._folder))

    def fresh_kafka(self) -> KafkaSettings:
        """The broker, with topics that have no event."""
        renew_topics(self._kafka)
        return self._kafka

    @property
    def kafka(self) -> KafkaSettings:
        """The broker, with what is on its topics."""
        return self._kafka

    @property
    def leaders(self) -> list[int]:
        """The processes of the services that run."""
        return [child.pid for child in self._children if child.pid]

    @property
    def spark_jars(self) -> Path:
        """The folder of the jars for Delta and Kafka."""
        return self._set_up[1].spark[0]

    @property
    def topics_folder(self) -> Path:
        """Where the broker keeps its topics."""
        return self._folder / "kafka"

    @cached_property
    def spark_url(self) -> str:
        """The Spark service, which has served a session."""
        java, jars = self._set_up
        endpoint = SparkEndpoint(self._port(15902))
        conf = spark_conf(Lake(str(self._folder)))
        self._start(spark_service(java, jars.spark, self._folder, os.environ, endpoint, conf))
        with remote_session(endpoint.url) as spark:
            spark.range(1).collect()
        return endpoint.url

    def executors_url(self, workers: int) -> str:
        """Another Spark service, whose batches are for executors.

        Args:
            workers: Of a standalone cluster that it uses; 0 for the threads of its own process.
        """
        java, jars = self._set_up
        folder, lake = self.new_folder(), Lake(str(self._folder))
        conf = executors_conf(lake, tasks_at_once(max(workers, 1)))
        if workers:
            ports = [self._port(15910) for _ in range(workers + 2)]
            cluster = SparkCluster(ports[0], tuple(ports[1:]))
            conf = {**conf, **cluster.service_conf(jars.spark)}
            for service in cluster_services(java, jars.spark, folder, os.environ, cluster):
                self._start(service)
        endpoint = SparkEndpoint(self._port(15902))
        self._start(spark_service(java, jars.spark, folder, os.environ, endpoint, conf))
        return endpoint.url

    @cached_property
    def _kafka(self) -> KafkaSettings:
        java, jars = self._set_up
        ports = self._port(19092), self._port(19093)
        self._start(broker_service(java, jars.kafka, self._folder, os.environ, *ports))
        kafka = KafkaSettings(f"127.0.0.1:{ports[0]}")
        ensure_topics(kafka)
        return kafka

    @cached_property
    def _set_up(self) -> tuple[JavaHome, JarFolders]:
        return set_up(Settings.from_env(), _quiet, _quiet)

    def _port(self, preferred: int) -> int:
        self._ports.append(free_port(preferred, "bench", _quiet, self._ports))
        return self._ports[-1]

    def _start(self, service: Service) -> None:
        child = ChildProcess(service)
        child.start()
        self._stack.callback(child.stop)
        child.wait_ready(_quiet)
        self._children.append(child)


@contextmanager
def workbench() -> Iterator[Workbench]:
    """A workbench whose services are stopped, and whose folders are deleted, at the end."""
    with tempfile.TemporaryDirectory(prefix="usage-bench-") as folder, ExitStack() as stack:
        yield Workbench(Path(folder), stack)
