"""Fixtures for all tests: real services, started once a session, and a fresh lake and topics each.

The broker and the Spark service are the platform's own embedded ones, on free ports and in a
temporary folder, so that tests never meet a running platform or its data.
"""

import os

from usage_platform_tests.short_lived import JAVA_TOOL_OPTIONS

# Services are started while clients of Spark run here: in the new process, before it becomes the
# service, gRPC must not touch their connections.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
os.environ.setdefault("JAVA_TOOL_OPTIONS", JAVA_TOOL_OPTIONS)

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings

from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.adapters.lake.tables import Lake, LakeTable
from usage_platform.adapters.spark.session import remote_session, spark_conf
from usage_platform.local.broker import broker_service
from usage_platform.local.jars import JarFolders, ensure_jars
from usage_platform.local.java import JavaHome, ensure_java
from usage_platform.local.process import ChildProcess, Service
from usage_platform.local.spark_service import SparkEndpoint, spark_service
from usage_platform_tests import ports
from usage_platform_tests.repository import ROOT
from usage_platform_tests.sharing import turn_of
from usage_platform_tests.topics import put_events, read_events, renew_topics

if TYPE_CHECKING:
    from confluent_kafka import Message
    from pyspark.sql import SparkSession
    from xdist.remote import Producer
    from xdist.scheduler import LoadFileScheduling

# A script that starts the tests in the background has SIGINT ignored by all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

DATA_DIR = ROOT / ".usage"
SERVICES = Path(__file__).parent / "services"

pytest_plugins = ["usage_platform_tests.profile", "usage_platform_tests.spark_batch"]

# A busy machine may take long for an example; what takes too long is for pytest-timeout to say.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

# For `make machine`: games of many steps, new ones each time.
settings.register_profile(
    "long",
    max_examples=50,
    stateful_step_count=40,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)

FreshTopics = Callable[..., KafkaSettings]
Put = Callable[..., None]
ReadAll = Callable[..., list["Message"]]
WriteTable = Callable[..., None]


def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "LoadFileScheduling":
    """Share the tests among processes by `sharing.group_of`."""
    from usage_platform_tests.sharing import SharedByGroup

    return SharedByGroup(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark those of the services; put the tests that take longest first."""
    for item in items:
        if SERVICES in item.path.parents:
            item.add_marker("services")
    items.sort(key=lambda item: turn_of(item.path))


@pytest.fixture(scope="session")
def java() -> JavaHome:
    return ensure_java(DATA_DIR, os.environ, print)


@pytest.fixture(scope="session")
def jar_folders(java: JavaHome) -> JarFolders:
    return ensure_jars(DATA_DIR / "jars", java, os.environ, print, lambda text: None)


@pytest.fixture(scope="session")
def unused_port() -> Callable[[], int]:
    """Ports the system hands out, so that tests do not meet a running stack."""

    return ports.unused_port


def _running(service: Service) -> Iterator[None]:
    child = ChildProcess(service)
    child.start()
    try:
        child.wait_ready(lambda text: None)
        yield
    finally:
        child.stop()


@pytest.fixture(scope="session")
def broker(java, jar_folders, unused_port, tmp_path_factory) -> Iterator[KafkaSettings]:
    """The embedded broker, for the whole session; `fresh_topics` gives a test topics of its own."""
    port = unused_port()
    folder = tmp_path_factory.mktemp("broker")
    service = broker_service(java, jar_folders.kafka, folder, os.environ, port, unused_port())
    for _ in _running(service):
        yield KafkaSettings(f"127.0.0.1:{port}")


@pytest.fixture(scope="session")
def spark_url(java, jar_folders, unused_port, tmp_path_factory) -> Iterator[str]:
    """The warm Spark service, for the whole session."""
    endpoint = SparkEndpoint(unused_port())
    folder = tmp_path_factory.mktemp("spark")
    conf = spark_conf(Lake(str(folder)))
    service = spark_service(java, jar_folders.spark, folder, os.environ, endpoint, conf)
    for _ in _running(service):
        yield endpoint.url


@pytest.fixture(scope="session")
def spark(spark_url: str) -> Iterator["SparkSession"]:
    """One session on the warm service."""
    with remote_session(spark_url) as session:
        yield session


@pytest.fixture(scope="session")
def aws_endpoint(unused_port, tmp_path_factory) -> Iterator[str]:
    """The address of a double of AWS, for the whole session."""
    from usage_platform_tests.aws_double import aws_server

    with aws_server(unused_port(), tmp_path_factory.mktemp("aws") / "log") as endpoint:
        yield endpoint


@pytest.fixture
def s3_lake(aws_endpoint: str) -> Iterator[Lake]:
    """An empty lake in a bucket of its own."""
    from usage_platform_tests.aws_double import new_bucket

    with new_bucket(aws_endpoint) as bucket:
        yield Lake(f"s3://{bucket}/lake")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake."""
    return Lake(str(tmp_path / "lake"))


def _delta_type(field: pa.Field) -> pa.DataType:
    if pa.types.is_timestamp(field.type):
        return pa.timestamp("us", "UTC")
    if pa.types.is_null(field.type):  # A column without a row.
        return pa.date32() if field.name.endswith("_date") else pa.string()
    return field.type


def table_writer(
    lake: Lake, table: LakeTable, frame: pd.DataFrame, notes: str | None = None
) -> None:
    """Append to a table as Spark would, without a JVM; `notes` is the commit's user metadata."""
    from deltalake import CommitProperties, write_deltalake

    data = pa.Table.from_pandas(frame, preserve_index=False)
    schema = pa.schema([field.with_type(_delta_type(field)) for field in data.schema])
    properties = CommitProperties(custom_metadata={"userMetadata": notes}) if notes else None
    write_deltalake(
        lake.table(table),
        data.cast(schema),
        mode="append",
        partition_by=[table.partition],
        commit_properties=properties,
    )


@pytest.fixture
def write_table() -> WriteTable:
    """`table_writer`."""
    return table_writer


@pytest.fixture(scope="session")
def fresh_topics(broker: KafkaSettings) -> FreshTopics:
    """Make the platform's topics anew, without an event or a committed offset."""

    def make(partitions: int = 1) -> KafkaSettings:
        kafka = KafkaSettings(broker.bootstrap, partitions)
        renew_topics(kafka)
        return kafka

    return make


@pytest.fixture
def kafka(fresh_topics: FreshTopics) -> KafkaSettings:
    """Fresh topics of one partition each."""
    return fresh_topics()


@pytest.fixture(scope="session")
def put() -> Put:
    """Put events on a topic, in their order: values, or (partition, value) pairs."""
    return put_events


@pytest.fixture(scope="session")
def read_all() -> ReadAll:
    """All events of a topic, partition by partition; without those of open transactions."""
    return read_events
