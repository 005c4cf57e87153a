"""Batches on the executors of a real standalone cluster: the tables of one process, to the bit."""

import os
import shutil
import signal
import socket
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from usage_platform.adapters.kafka.events import raw_frame
from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.adapters.lake.commit_dates import dates_since
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import READINGS, REJECTS, USAGE_HOURLY, Lake
from usage_platform.adapters.lake.usage_events import apply_events
from usage_platform.adapters.spark.executors import map_on_executors
from usage_platform.adapters.spark.session import executors_conf, remote_session
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.validation import RAW_COLUMNS
from usage_platform.local.pid import session_members
from usage_platform.local.process import ChildProcess
from usage_platform.local.spark_cluster import SparkCluster, cluster_services
from usage_platform.local.spark_service import SparkEndpoint, spark_service
from usage_platform.services import ingest as lake_streams
from usage_platform.services.ingest import drain_usage
from usage_platform_tests import oracle
from usage_platform_tests.oracle import Event, event
from usage_platform_tests.services.executor_to_kill import write_and_kill
from usage_platform_tests.topics import until

# Five JVMs start cold: on a busy machine the first batch takes minutes.
pytestmark = [pytest.mark.kafka, pytest.mark.spark, pytest.mark.timeout(900)]

MINUTES = {"library": 5, "annex": 15, "shed": 5}
REGISTRY = MeterRegistry(Meter("library")).with_meters([Meter("annex", "Europe/Rome", 15)])
START = pd.Timestamp("2024-03-09T20:00:00Z")
TABLES = (READINGS, USAGE_HOURLY, REJECTS)
TASKS = 2
# What is compiled anew for a few rows costs more than it saves.
INTERPRETED = {
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.shuffle.partitions": "2",
    "spark.databricks.delta.snapshotPartitions": "1",
}


@pytest.fixture(scope="module")
def cluster(java, jar_folders, unused_port, tmp_path_factory):
    """A master, two workers and the Spark service that uses them."""
    ports = SparkCluster(unused_port(), tuple(unused_port() for _ in range(3)))
    endpoint, folder = SparkEndpoint(unused_port()), tmp_path_factory.mktemp("cluster")
    jars = jar_folders.spark
    services = cluster_services(java, jars, folder, os.environ, ports)
    conf = {**executors_conf(Lake(str(folder)), TASKS), **ports.service_conf(jars), **INTERPRETED}
    services.append(spark_service(java, jars, folder, os.environ, endpoint, conf))
    with ExitStack() as stack:
        children = [ChildProcess(service) for service in services]
        for child in children:
            child.start()
            stack.callback(child.stop)
            child.wait_ready(lambda text: None)
        spark = stack.enter_context(remote_session(endpoint.url))
        yield SimpleNamespace(spark=spark, ports=ports, children=children, folder=folder)


def some_readings(first, count):
    """Readings of three meters, of which two send in another partition."""
    return [
        (number % 2, event(meter, START + n * pd.Timedelta(minutes=15), n / 7 + number))
        for n in range(first, first + count)
        for number, meter in enumerate(MINUTES)
    ]


def late_ones_and_others():
    """Readings of closed hours, some of them twice or corrected; and rejects."""
    late = event("library", START + pd.Timedelta(minutes=5), 3.5)
    corrected = event("annex", START, 9.25)
    of_yesterday = event("shed", START - pd.Timedelta(days=1), 0.5)
    bad = [Event(b"not json", None), Event(b'{"value": 1}', None)]
    return [
        (n % 2, e) for n, e in enumerate([late, corrected, late, of_yesterday, *bad, corrected])
    ]


def on_topic(read_all, kafka, sent):
    """The events with their places, as the oracle takes them."""
    meaning = {e.payload: e.reading for e in sent}
    return [
        Event(
            message.value(),
            meaning[message.value()],
            message.offset(),
            message.partition(),
            pd.Timestamp(message.timestamp()[1], unit="ms", tz="UTC"),
        )
        for message in read_all(kafka)
    ]


def versions(lake):
    return {table.name: LakeReader(lake).state(table).version for table in TABLES}


@pytest.fixture(scope="module")
def drained(cluster, fresh_topics, put, read_all, tmp_path_factory):
    """The same events into two lakes, on executors and in one process, in the same batches."""
    kafka = fresh_topics(partitions=2)
    there, here = (Lake(str(tmp_path_factory.mktemp(name))) for name in ("there", "here"))
    for lake in (there, here):
        create_tables(lake)
    sent, seen = [], 0
    for part in (some_readings(0, 40), [*late_ones_and_others(), *some_readings(40, 8)]):
        put(kafka, [(partition, e.payload) for partition, e in part])
        sent += [e for _, e in part]
        done = drain_usage(cluster.spark, there, REGISTRY, kafka, USAGE, TASKS)
        # Each event is read and validated once, whatever is learned of its meter meanwhile.
        assert done.events == len(part)
        messages = sorted(read_all(kafka), key=lambda m: m.timestamp()[1])
        apply_events(here, REGISTRY, raw_frame(messages[seen:])[RAW_COLUMNS])
        seen = len(messages)
    events = on_topic(read_all, kafka, sent)
    return SimpleNamespace(kafka=kafka, there=there, here=here, events=events)


def test_the_tables_are_what_the_events_say(drained):
    oracle.assert_right(drained.there, drained.events, MINUTES)


def test_they_are_those_of_one_process_with_what_tells_how_they_came_to_be(drained):
    for table in TABLES:
        there, here = (oracle.rows_in(lake, table) for lake in (drained.there, drained.here))
        pd.testing.assert_frame_equal(there[[*here.columns]], here, check_exact=True)
    assert oracle.rows_in(drained.there, READINGS)["late"].sum() == 2
    assert oracle.rows_in(drained.there, READINGS)["rev"].sum() == 1


def test_each_commit_names_the_days_that_it_changes(drained):
    for table in TABLES:
        there, here = (
            dates_since(LakeReader(lake), table, 1) for lake in (drained.there, drained.here)
        )
        assert there == here, table.name


def test_a_batch_that_comes_again_makes_no_commit(cluster, drained):
    before = versions(drained.there)
    shutil.rmtree(Path(drained.there.checkpoint(USAGE)))
    again = drain_usage(cluster.spark, drained.there, REGISTRY, drained.kafka, USAGE, TASKS)
    assert again.events == len(drained.events)
    assert versions(drained.there) == before


def test_all_listen_on_the_loopback_address_and_say_their_secret_nowhere(cluster):
    members = [pid for child in cluster.children for pid in session_members(child.pid)]
    commands = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in members]
    executors = [c for c in commands if b"CoarseGrainedExecutorBackend" in c]
    assert len(executors) == 2
    assert not [c for c in commands if cluster.ports.secret.encode() in c]
    rows = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path("/proc/net", name).read_text().splitlines()[1:]
    ]
    listening = {row[9]: row[1].rpartition(":")[0] for row in rows if row[3] == "0A"}
    ours = {
        descriptor.readlink().name.removeprefix("socket:[").removesuffix("]")
        for pid in members
        for descriptor in Path(f"/proc/{pid}/fd").iterdir()
        if descriptor.is_symlink()
    }
    addresses = {address for inode, address in listening.items() if inode in ours}
    assert addresses <= {"0100007F", "0000000000000000FFFF00000100007F"}
    assert addresses


def test_training_is_sent_to_the_executors(cluster):
    parents = map_on_executors(cluster.spark, lambda _: str(os.getppid()), range(4))
    members = [session_members(child.pid) for child in cluster.children[1:3]]
    assert {int(pid) for pid in parents} <= {pid for one in members for pid in one}


def test_a_page_of_the_cluster_takes_no_request_without_the_secret(cluster):
    for port in cluster.ports.page_ports:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"GET /json/ HTTP/1.0\r\n\r\n")
            assert b" 403 " in connection.recv(100)


def test_a_worker_that_is_killed_within_a_batch_changes_nothing(
    cluster, drained, put, read_all, monkeypatch, tmp_path
):
    pids = [child.pid for child in cluster.children[1:3]]
    more = some_readings(48, 12)
    put(drained.kafka, [(partition, e.payload) for partition, e in more])
    killed = tmp_path / "killed"
    kill = partial(write_and_kill, str(killed), pids)
    monkeypatch.setattr(lake_streams, "write_usage_batch_on_executors", kill)
    drain_usage(cluster.spark, drained.there, REGISTRY, drained.kafka, USAGE, TASKS)
    assert killed.exists()
    assert len([child for child in cluster.children if child.is_alive]) == 3
    meant = [*drained.events, *(e for _, e in more)]
    oracle.assert_right(drained.there, on_topic(read_all, drained.kafka, meant), MINUTES)


def test_all_of_it_ends_as_when_up_is_killed(cluster):
    # Linux sends this signal when the process that started them has died. An executor that its
    # worker begins while it ends itself is known to the session alone, and ends with that.
    alive = [child for child in cluster.children if child.is_alive]
    assert sum(len(session_members(child.pid)) for child in alive) > len(alive)
    for child in alive:
        os.kill(child.pid, signal.SIGTERM)

    def left() -> list[int]:
        return [pid for child in alive for pid in session_members(child.pid)]

    with suppress(AssertionError):
        until(lambda: left() == [])
    # Whoever finds it failed sees what is left.
    assert [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in left()] == []
