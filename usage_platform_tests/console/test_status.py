"""What `usage-platform status` prints of lag and of transactions that hold readers up."""

import io
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import pytest
from confluent_kafka import Producer
from rich.console import Console

from usage_platform.adapters.kafka.topics import ANOMALY, EPISODE, USAGE
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.console.status import status
from usage_platform.core.readings.messages import usage_messages
from usage_platform.local.stack_file import StackFile
from usage_platform.settings.settings import Settings
from usage_platform.wiring.platform import Platform
from usage_platform_tests.services.test_event_counts import write_checkpoint, write_rejects

START = pd.Timestamp("2024-03-05T00:00:00Z")


def printed(deployment: Platform) -> str:
    console = Console(file=io.StringIO(), width=120, record=True)
    console.print(status(deployment, pd.Timestamp.now(tz="UTC")))
    return console.export_text()


@pytest.mark.kafka
def test_lag_is_shown_in_events_and_event_time_and_an_open_transaction_with_its_place(
    kafka, put, tmp_path, write_table
):
    deployment = Platform(
        Settings.from_env({}, data=tmp_path, kafka_bootstrap=kafka.bootstrap, interval_minutes=60)
    )
    times = pd.date_range(START, periods=30, freq="h", unit="ns")
    frame = pd.DataFrame({"meter": "central-library", "ts": times, "value": 1.0})
    put(kafka, usage_messages(frame))
    rows = frame.iloc[:2].rename(columns={"ts": "event_time"})
    write_table(deployment.lake, READINGS, rows.assign(event_date=START.date()))
    producer = Producer(kafka.client(**{"transactional.id": "hangs"}))
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(ANOMALY, b"{}")
    producer.flush(30)
    shown = printed(deployment)
    producer.abort_transaction(30)
    (ingestion,) = (line for line in shown.splitlines() if "usage to the lake" in line)
    assert ingestion.split()[4:] == ["30", "1", "days", "04:00:00"]
    assert "Transaction: anomaly partition 0: offsets 0 to 0 wait for a transaction" in shown


def test_how_to_connect_to_the_embedded_broker_is_shown_without_its_password(tmp_path):
    deployment = Platform(Settings.from_env({}, data=tmp_path))
    with StackFile(tmp_path) as stack:
        stack.write("127.0.0.1:1", "sc://127.0.0.1:1", None, kafka_password="the secret")
        shown = " ".join(printed(deployment).split())
        assert f"{tmp_path}/kafka/client.properties (Java)".replace(" ", "") in shown.replace(
            " ", ""
        )
        assert "librdkafka.conf (librdkafka)" in shown
        assert "the secret" not in shown
    assert "client.properties" not in printed(deployment)


@contextmanager
def replying() -> Iterator[int]:
    """A port on which each connection is sent something, and closed."""

    class Reply(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(1000)
            self.request.sendall(b"!")

    with socketserver.TCPServer(("127.0.0.1", 0), Reply) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_the_master_and_the_workers_of_spark_are_shown_where_there_are_some(tmp_path, unused_port):
    deployment = Platform(Settings.from_env({}, data=tmp_path))
    with StackFile(tmp_path) as stack, replying() as worker:
        places = [f"127.0.0.1:{unused_port()}", f"127.0.0.1:{worker}"]
        stack.write("127.0.0.1:1", "sc://127.0.0.1:1", None, spark_cluster=tuple(places))
        shown = [line.split()[-3:] for line in printed(deployment).splitlines()]
    assert ["master", places[0], "no"] in shown
    assert ["1", places[1], "yes"] in shown
    assert "Spark master" not in printed(deployment)


def test_a_service_that_hangs_does_not_answer(tmp_path, monkeypatch):
    """Its port takes connections all the same."""
    monkeypatch.setattr("usage_platform.local.replies._WITHIN_S", 0.1)
    deployment = Platform(Settings.from_env({}, data=tmp_path))
    with (
        StackFile(tmp_path) as stack,
        socket.create_server(("127.0.0.1", 0)) as hanging,
        replying() as works,
    ):
        place = f"127.0.0.1:{hanging.getsockname()[1]}"
        good = f"127.0.0.1:{works}"
        stack.write("127.0.0.1:1", f"sc://{place}", f"http://{good}", f"http://{place}")
        shown = [line.split()[-3:] for line in printed(deployment).splitlines()]
    assert ["Spark", place, "no"] in shown
    assert ["Dagster", good, "yes"] in shown
    assert ["Page", place, "no"] in shown


def test_where_all_events_are_and_the_rejects_by_topic_and_reason_are_shown(tmp_path, write_table):
    deployment = Platform(Settings.from_env({}, data=tmp_path))
    write_checkpoint(deployment.lake, {"0": 1_005})
    now = pd.Timestamp.now(tz="UTC")
    strays = [(EPISODE, "not_an_episode", now - pd.Timedelta(days=2))]
    write_rejects(deployment.lake, write_table, [(USAGE, "empty", now)] * 2 + strays)
    shown = printed(deployment)
    assert "Events: 1,005 ingested = 0 readings + 1,003 superseded + 2 rejects" in shown
    lines = [line.split() for line in shown.splitlines()]
    assert ["usage", "empty", "2", "2"] in lines
    assert ["episode", "not_an_episode", "0", "1"] in lines


def test_without_a_broker_the_rest_is_shown(tmp_path):
    shown = printed(Platform(Settings.from_env({}, data=tmp_path)))
    assert "Lag: no Kafka broker is configured" in shown
    assert "usage_hourly" in shown


def test_a_mistake_in_the_descriptions_of_meters_is_shown(tmp_path):
    deployment = Platform(Settings.from_env({}, data=tmp_path))
    deployment.assets.write_text("meters.yaml", "meters: [{name: a, sign: net}]")
    assert "Meters:" not in printed(deployment)
    deployment.assets.write_text("meters.yaml", "meters: [{name: a, sign: nett}]")
    shown = " ".join(printed(deployment).split())
    assert "Meters: the last descriptions of meters without a mistake apply: " in shown
    assert "meter a: sign: expected" in shown
