"""A tick that waits for events: what ends the wait, and that nothing is missed meanwhile."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from usage_platform.adapters.kafka.arrivals import message_arrives
from usage_platform.adapters.kafka.topic_ids import topic_id
from usage_platform.adapters.kafka.topics import ANOMALY, USAGE, end_offsets
from usage_platform.adapters.lake.checkpoints import Checkpoint, Checkpoints
from usage_platform.services import awaited_backlog as awaiting
from usage_platform.services.awaited_backlog import awaited_backlog
from usage_platform_tests.topics import SLOW_MACHINE_SECONDS, put_events, recreate_topic

NOTHING = {USAGE: 0, ANOMALY: 0}
SHORT = 2.0
_WAITS = """
import sys, threading
from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.processes.ending import end_waits_on_signal
from usage_platform.services import awaited_backlog as awaiting

end_waits_on_signal()
real = awaiting.message_arrives

def message_arrives(*given):
    print("waits", flush=True)
    return real(*given)

awaiting.message_arrives = message_arrives
bootstrap, lake, seconds = sys.argv[1:]

def tick():
    print(awaiting.awaited_backlog(Lake(lake), KafkaSettings(bootstrap), float(seconds)))

# As the ticks of the code server, it is not in the main thread, which wakes up now and then: a
# signal that comes just before a wait without end is only noticed after it.
ticking = threading.Thread(target=tick)
ticking.start()
while ticking.is_alive():
    ticking.join(0.1)
"""


def ingest(lake, kafka, topic):
    """Leave what a batch leaves that has ingested all of a topic."""
    checkpoints = Checkpoints(lake, topic)
    current = Checkpoint(topic_id(kafka, topic) or "")
    checkpoints.save(current)
    folder = Path(checkpoints.folder(current))
    ends = {str(p): end for p, (_, end) in end_offsets(kafka, topic).items()}
    for name, text in (("offsets", f"v1\n{{}}\n{json.dumps({topic: ends})}"), ("commits", "v1\n")):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "0").write_text(text)


@pytest.fixture
def ingested(kafka, lake):
    """Events on both topics that are in the lake."""
    for topic in (USAGE, ANOMALY):
        put_events(kafka, [b"1", b"2"], topic)
        ingest(lake, kafka, topic)
    return lake


@pytest.fixture
def meanwhile(monkeypatch):
    """Let something happen between the look at the topics and the wait."""

    def happens(what):
        def after(*given):
            what()
            return message_arrives(*given)

        monkeypatch.setattr(awaiting, "message_arrives", after)

    return happens


@pytest.mark.parametrize("topic", [USAGE, ANOMALY])
def test_what_waits_already_is_not_waited_for(kafka, ingested, monkeypatch, topic):
    monkeypatch.setattr(awaiting, "message_arrives", lambda *given: pytest.fail("waited"))
    put_events(kafka, [b"3", b"4", b"5"], topic)
    assert awaited_backlog(ingested, kafka, SLOW_MACHINE_SECONDS) == {**NOTHING, topic: 3}


@pytest.mark.parametrize("topic", [USAGE, ANOMALY])
def test_what_comes_between_the_look_and_the_wait_is_not_missed(kafka, ingested, meanwhile, topic):
    meanwhile(lambda: put_events(kafka, [b"3"], topic))
    assert awaited_backlog(ingested, kafka, SLOW_MACHINE_SECONDS) == {**NOTHING, topic: 1}


def test_what_comes_in_the_wait_ends_it(kafka, ingested, meanwhile):
    late = threading.Timer(SHORT, put_events, (kafka, [b"3"]))
    meanwhile(late.start)
    assert awaited_backlog(ingested, kafka, SLOW_MACHINE_SECONDS) == {**NOTHING, USAGE: 1}


def test_a_topic_that_is_created_again_in_the_wait_is_new_as_a_whole(kafka, ingested, meanwhile):
    def again():
        recreate_topic(kafka, USAGE)
        put_events(kafka, [b"1"])

    meanwhile(again)
    assert awaited_backlog(ingested, kafka, SLOW_MACHINE_SECONDS) == {**NOTHING, USAGE: 1}


def test_where_nothing_comes_the_wait_is_over_in_time(kafka, ingested):
    assert awaited_backlog(ingested, kafka, SHORT) == NOTHING


def test_what_an_ending_process_waits_for_is_left(kafka, ingested):
    """As when the platform is stopped: by the signal, in a process of its own."""
    given = (kafka.bootstrap, ingested.root, str(SLOW_MACHINE_SECONDS))
    with subprocess.Popen(
        [sys.executable, "-c", _WAITS, *given], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        process.send_signal(signal.SIGUSR1)
        said, _ = process.communicate(timeout=SLOW_MACHINE_SECONDS / 2)
    assert process.returncode == 0
    assert said == f"{NOTHING}\n"
