"""The broker: its folder's states, and that it keeps what it took through a kill."""

import os
import signal
import threading
import uuid
from pathlib import Path

import pytest

from usage_platform.local import broker as broker_module
from usage_platform.local.broker import (
    broker_answers,
    broker_service,
    holds_topics,
    is_formatted,
)
from usage_platform.local.errors import LocalError
from usage_platform.local.java import JavaHome
from usage_platform.local.process import ChildProcess

META = "#\nnode.id=1\ndirectory.id=ClVcEBMDgtIX7dvv-MTZcg\nversion=1\ncluster.id=tQn2nJ5DRN\n"


@pytest.fixture
def broker(java, jar_folders, tmp_path, unused_port):
    """A running broker on an empty folder, and its port; stopped after the test."""
    port = unused_port()
    service = broker_service(
        java, jar_folders.kafka, tmp_path / "a folder", os.environ, port, unused_port()
    )
    child = ChildProcess(service)
    child.start()
    child.wait_ready(lambda text: None)
    yield child, port
    child.stop()


def write_segment(folder, topic, content=b"x"):
    segment = folder / topic / "00000000000000000000.log"
    segment.parent.mkdir(parents=True)
    segment.write_bytes(content)


@pytest.mark.parametrize("cut", [0, 3, 20, 40])
def test_a_folder_whose_meta_properties_are_missing_or_cut_off_is_not_formatted(tmp_path, cut):
    assert not is_formatted(tmp_path)
    (tmp_path / "meta.properties").write_text(META[:cut])
    assert not is_formatted(tmp_path)


def test_a_folder_with_whole_meta_properties_is_formatted(tmp_path):
    (tmp_path / "meta.properties").write_text(META)
    assert is_formatted(tmp_path)


def test_empty_topics_and_the_clusters_own_metadata_are_no_topic_data(tmp_path):
    write_segment(tmp_path, "__cluster_metadata-0")
    write_segment(tmp_path, "usage-0", b"")
    assert not holds_topics(tmp_path)
    write_segment(tmp_path, "usage-1")
    assert holds_topics(tmp_path)


def test_a_folder_with_topics_but_no_meta_properties_is_never_wiped(tmp_path):
    service = broker_service(JavaHome(tmp_path, 17), tmp_path, tmp_path, {}, 1, 2)
    data = tmp_path / "kafka" / "data"
    write_segment(data, "usage-0")
    with pytest.raises(LocalError, match=r"holds topics, but its meta\.properties is missing"):
        service.prepare()
    assert holds_topics(data)


def test_nobody_listening_is_no_answer(unused_port):
    assert not broker_answers(unused_port())


@pytest.mark.kafka
def test_one_that_is_stopped_does_not_answer_and_asking_leaves_nothing_open(broker):
    child, port = broker
    assert broker_answers(port)
    before = len(list(Path("/dev/fd").iterdir())), threading.active_count()
    os.kill(child.pid, signal.SIGSTOP)
    assert not broker_answers(port)
    os.kill(child.pid, signal.SIGCONT)
    assert broker_answers(port)
    assert (len(list(Path("/dev/fd").iterdir())), threading.active_count()) == before


@pytest.mark.kafka
def test_records_and_offsets_survive_a_kill(broker):
    from confluent_kafka import Consumer, Producer, TopicPartition
    from confluent_kafka.admin import AdminClient, NewTopic

    child, port = broker
    address = {"bootstrap.servers": f"127.0.0.1:{port}"}
    topic = f"usage-{uuid.uuid4().hex}"
    admin = AdminClient(address)
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result()
    producer = Producer({**address, "transactional.id": "test"})
    producer.init_transactions()
    producer.begin_transaction()
    for number in range(1000):
        producer.produce(topic, str(number).encode())
    consumer = Consumer({**address, "group.id": "readers", "isolation.level": "read_committed"})
    producer.send_offsets_to_transaction(
        [TopicPartition(topic, 0, 600)], consumer.consumer_group_metadata()
    )
    producer.commit_transaction()
    del producer
    consumer.close()

    os.kill(child.pid, signal.SIGKILL)
    child.stop()
    child.start()
    child.wait_ready(lambda text: None)

    consumer = Consumer({**address, "group.id": "readers", "isolation.level": "read_committed"})
    (committed,) = consumer.committed([TopicPartition(topic, 0)], timeout=30)
    assert committed.offset == 600
    consumer.assign([TopicPartition(topic, 0, 0)])
    values = []
    while len(values) < 1000 and (batch := consumer.consume(1000, timeout=30)):
        values += [int(message.value()) for message in batch]
    consumer.close()
    assert values == list(range(1000))


@pytest.mark.kafka
def test_a_half_formatted_folder_is_formatted_again(java, jar_folders, tmp_path, unused_port):
    data = tmp_path / "kafka" / "data"
    data.mkdir(parents=True)
    (data / "bootstrap.checkpoint").write_bytes(b"half")
    (data / "meta.properties").write_text("#\nver")
    service = broker_service(
        java, jar_folders.kafka, tmp_path, os.environ, unused_port(), unused_port()
    )
    child = ChildProcess(service)
    child.start()
    try:
        child.wait_ready(lambda text: None)
        assert is_formatted(data)
    finally:
        child.stop()


def test_no_id_of_a_cluster_begins_with_a_dash_which_kafkas_tools_take_for_an_option(monkeypatch):
    drawn = iter([uuid.UUID(int=0xF8 << 120), uuid.UUID(int=0xF4 << 120)])
    monkeypatch.setattr(uuid, "uuid4", lambda: next(drawn))
    assert broker_module._new_cluster_id() == "9" + "A" * 21
