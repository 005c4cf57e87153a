"""The broker: its folder's states, and that it keeps what it took through a kill."""

import os
import signal
import threading
import uuid
from pathlib import Path

import pytest

from usage_platform.adapters.kafka.security import LoopbackPassword
from usage_platform.local import broker as broker_module
from usage_platform.local.broker import (
    broker_answers,
    broker_service,
    client_files,
    holds_topics,
    is_formatted,
)
from usage_platform.local.errors import LocalError
from usage_platform.local.java import JavaHome
from usage_platform.local.process import ChildProcess
from usage_platform_tests.kafka_wire import tells_its_settings

LOGIN = LoopbackPassword("platform", "a-long_secret")
META = "#\nnode.id=1\ndirectory.id=ClVcEBMDgtIX7dvv-MTZcg\nversion=1\ncluster.id=tQn2nJ5DRN\n"


@pytest.fixture
def broker(java, jar_folders, tmp_path, unused_port):
    """A running broker with a password, and its ports; stopped after the test."""
    ports = unused_port(), unused_port()
    places = (tmp_path / "a folder", os.environ, *ports)
    service = broker_service(java, jar_folders.kafka, *places, LOGIN)
    child = ChildProcess(service)
    child.start()
    child.wait_ready(lambda text: None)
    yield child, ports
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


def test_the_password_is_in_files_of_its_user_alone_and_on_no_command_line(tmp_path):
    (tmp_path / "kafka" / "data").mkdir(parents=True)
    (tmp_path / "kafka" / "data" / "meta.properties").write_text(META)
    (tmp_path / "kafka" / "server.properties").touch(mode=0o644)
    java = JavaHome(tmp_path, 17)
    service = broker_service(java, tmp_path, tmp_path, {"A": "b"}, 1, 2, LOGIN)
    service.prepare()
    named = {
        path.name
        for path in (tmp_path / "kafka").iterdir()
        if path.is_file() and LOGIN.password in path.read_text()
    }
    assert named == {"server.properties", "client.properties", "librdkafka.conf"}
    assert {(tmp_path / "kafka" / name).stat().st_mode & 0o077 for name in named} == {0}
    said = (*service.argv, *service.env.values(), repr(LOGIN))
    assert [text for text in said if LOGIN.password in text] == []


def test_programs_get_the_address_and_what_to_log_in_with():
    files = client_files("127.0.0.1:9092", LOGIN)
    assert files["librdkafka.conf"] == (
        "bootstrap.servers=127.0.0.1:9092\nsecurity.protocol=SASL_PLAINTEXT\n"
        "sasl.mechanism=PLAIN\nsasl.username=platform\nsasl.password=a-long_secret\n"
    )
    assert files["client.properties"].endswith(
        "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required "
        'username="platform" password="a-long_secret";\n'
    )


@pytest.mark.kafka
def test_it_answers_its_user_alone_and_not_when_stopped_and_asking_leaves_nothing_open(broker):
    child, (port, controller) = broker
    for login in (None, LoopbackPassword("platform", "guessed"), LoopbackPassword("x", "y")):
        assert not broker_answers(port, login)
    assert not tells_its_settings(controller)
    assert not tells_its_settings(controller, "platform", "guessed")
    assert tells_its_settings(controller, LOGIN.user, LOGIN.password)
    assert broker_answers(port, LOGIN)
    before = len(list(Path("/dev/fd").iterdir())), threading.active_count()
    os.kill(child.pid, signal.SIGSTOP)
    assert not broker_answers(port, LOGIN)
    os.kill(child.pid, signal.SIGCONT)
    assert broker_answers(port, LOGIN)
    assert (len(list(Path("/dev/fd").iterdir())), threading.active_count()) == before


@pytest.mark.kafka
def test_records_and_offsets_survive_a_kill(broker):
    from confluent_kafka import Consumer, Producer, TopicPartition
    from confluent_kafka.admin import AdminClient, NewTopic

    child, (port, _) = broker
    address = {"bootstrap.servers": f"127.0.0.1:{port}", **LOGIN.client()}
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
