"""A broker and a warm Spark service of the bench's own, in a folder that goes away."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from usage_platform.adapters.kafka.topics import KafkaSettings, ensure_topics
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.spark.session import spark_conf
from usage_platform.local.broker import broker_service
from usage_platform.local.ports import free_port
from usage_platform.local.process import ChildProcess, Service
from usage_platform.local.spark_service import SparkEndpoint, spark_service
from usage_platform.local.stack import set_up
from usage_platform.settings.settings import Settings


def _quiet(_: str) -> None:
    """The bench prints its table and nothing else."""


@contextmanager
def services() -> Iterator[tuple[KafkaSettings, str, Path, Path]]:
    """Start both; yields the brokers, Spark's address, the jars of Spark and an empty folder."""
    java, jars = set_up(Settings.from_env(), print, _quiet)
    with tempfile.TemporaryDirectory(prefix="usage-bench-") as folder, ExitStack() as stack:
        data = Path(folder)
        ports = _ports(19092, 19093, 15902)
        endpoint = SparkEndpoint(ports[2])
        _start(stack, broker_service(java, jars.kafka, data, os.environ, ports[0], ports[1]))
        conf = spark_conf(Lake(folder))
        _start(stack, spark_service(java, jars.spark, data, os.environ, endpoint, conf))
        kafka = KafkaSettings(f"127.0.0.1:{ports[0]}")
        ensure_topics(kafka)
        yield kafka, endpoint.url, jars.spark[0], data


@contextmanager
def broker_alone(partitions: int) -> Iterator[KafkaSettings]:
    """Start a broker; yields it, for topics of so many partitions."""
    java, jars = set_up(Settings.from_env(), print, _quiet)
    with tempfile.TemporaryDirectory(prefix="usage-bench-") as folder, ExitStack() as stack:
        ports = _ports(19092, 19093)
        _start(
            stack, broker_service(java, jars.kafka, Path(folder), os.environ, ports[0], ports[1])
        )
        yield KafkaSettings(f"127.0.0.1:{ports[0]}", partitions)


def _ports(*preferred: int) -> list[int]:
    ports: list[int] = []
    for port in preferred:
        ports.append(free_port(port, "bench", _quiet, ports))
    return ports


def _start(stack: ExitStack, service: Service) -> None:
    child = ChildProcess(service)
    child.start()
    stack.callback(child.stop)
    child.wait_ready(_quiet)
