"""A source is played once: grown, touched, changed, killed, on another topic, beside others."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from usage_platform.adapters.kafka import playback_position
from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.playback_record import PlaybackRecords
from usage_platform.adapters.stores.source_cache import SourceCache
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.pacing import AS_FAST_AS_POSSIBLE, Pace
from usage_platform.core.readings.source import SourceReadings
from usage_platform.services.play import play
from usage_platform.services.playback_plan import PlaybackPlan
from usage_platform.services.playback_progress import SourceIdentity
from usage_platform_tests.topics import delete_until, recreate_topic

REGISTRY = MeterRegistry(Meter("a"))
FAST = Pace(accelerator=AS_FAST_AS_POSSIBLE)
START = pd.Timestamp("2024-03-05T13:00:00Z")

pytestmark = pytest.mark.kafka


def csv(steps, meters=("a", "b")):
    """The rows of a file, sorted."""
    times = pd.date_range(START, periods=steps, freq="5min", unit="ns")
    rows = [(meter, ts, float(n)) for n, ts in enumerate(times) for meter in meters]
    return pd.DataFrame(rows, columns=["meter", "ts", "value"])


class Source:
    """A file that is loaded and played as the runs do it."""

    def __init__(self, kafka, folder, former=""):
        assets = LakeFiles(str(folder))
        self.kafka = kafka
        identity = SourceIdentity("a.csv 5", "", former)
        self.plan = PlaybackPlan(SourceCache(assets), PlaybackRecords(assets), identity, "UTC")

    def load(self, frame, version):
        self.plan = replace(self.plan, identity=replace(self.plan.identity, version=version))
        self.plan.cache.save(version, SourceReadings(frame, (), (), len(frame)), REGISTRY.default)

    def run(self, killed_after=None):
        """Play what remains; the number of readings played, and the notice."""
        loaded = self.plan.cache.readings()
        played = self.plan.played(loaded, self.kafka, REGISTRY)
        todo = self.plan.remaining(loaded, played)[:killed_after]
        sent = play(self.kafka, todo, self.plan.identity.name, FAST, lambda progress: None).sent
        if killed_after is None:
            self.plan.keep_end(loaded, played, self.kafka)
        return sent, played.notice

    def is_exhausted(self):
        return self.plan.is_exhausted(self.kafka)


@pytest.fixture
def source(kafka, tmp_path):
    return Source(kafka, tmp_path)


def test_of_a_file_that_grew_only_the_new_rows_are_played(source, read_all):
    source.load(csv(20), "v1")
    assert not source.is_exhausted()
    assert source.run() == (40, "")
    assert source.is_exhausted()
    source.load(csv(25), "v2")
    assert not source.is_exhausted()
    assert source.run() == (10, "")
    assert source.is_exhausted()
    assert len(read_all(source.kafka)) == 50


def test_a_new_meter_in_the_file_is_played_from_its_first_row(source):
    source.load(csv(20), "v1")
    source.run()
    source.load(csv(20, meters=("a", "b", "c")), "v2")
    assert source.run() == (20, "")


def test_a_file_that_changed_in_what_was_played_is_played_again_and_says_so(source):
    source.load(csv(20), "v1")
    source.run()
    corrected = csv(20)
    corrected.loc[3, "value"] = 1000.0
    source.load(corrected, "v2")
    sent, notice = source.run()
    assert sent == 40
    assert "the source changed before its last played reading" in notice
    assert source.is_exhausted()
    assert source.run() == (0, "")


@pytest.mark.parametrize("at", [0, 1, 17])
def test_a_killed_run_neither_repeats_nor_skips(source, read_all, put, at):
    source.load(csv(20), "v1")
    assert source.run(killed_after=at)[0] == at
    assert not source.is_exhausted()
    put(source.kafka, [b"of another program", b'{"meter":"a","ts":"2030-01-01T00:00:00Z"}'])
    assert source.run() == (40 - at, "")
    assert len(read_all(source.kafka)) == 42


def test_looking_for_the_end_reads_only_what_came_since_the_last_look(source, put, monkeypatch):
    put(source.kafka, [b"of another program"] * 500)
    source.load(csv(20), "v1")
    source.run()
    read = []

    def counted(client, starts):
        for message in messages_to_end(client, starts):
            read.append(message)
            yield message

    messages_to_end = playback_position.messages_to_end
    monkeypatch.setattr(playback_position, "messages_to_end", counted)
    put(source.kafka, [b"of another program"] * 7)
    assert source.is_exhausted()
    assert read == []
    source.run()
    source.run()
    assert len(read) == 7


def test_a_topic_that_was_created_again_gets_the_source_again(source, read_all):
    source.load(csv(20), "v1")
    source.run()
    recreate_topic(source.kafka, USAGE)
    assert not source.is_exhausted()
    sent, notice = source.run()
    assert sent == 40
    assert "created again, or is on another cluster" in notice
    assert len(read_all(source.kafka)) == 40
    assert source.run() == (0, "")


def test_what_a_run_of_the_topic_before_played_on_leaves_nothing_out(source, read_all):
    """It went on to the end without noticing that the topic is another one."""
    source.load(csv(20), "v1")
    loaded = source.plan.cache.readings()
    played = source.plan.played(loaded, source.kafka, REGISTRY)
    play(source.kafka, loaded[:15], source.plan.identity.name, FAST, lambda progress: None)
    recreate_topic(source.kafka, USAGE)
    play(source.kafka, loaded[15:], source.plan.identity.name, FAST, lambda progress: None)
    source.plan.keep_end(loaded, played, source.kafka)
    assert not source.is_exhausted()
    assert source.run()[0] == 40
    assert {(e["meter"], e["ts"]) for e in map(json.loads, values(read_all, source))} == {
        (meter, f"{ts:%Y-%m-%dT%H:%M:%SZ}") for meter, ts, _ in loaded.itertuples(index=False)
    }
    assert source.is_exhausted()


def values(read_all, source):
    return [message.value() for message in read_all(source.kafka)]


def test_what_a_former_version_played_counts(kafka, tmp_path):
    play(kafka, csv(20)[:30], "a.csv 5 a.csv:123:456", FAST, lambda progress: None)
    source = Source(kafka, tmp_path, former="a.csv 5 a.csv:123:456")
    source.load(csv(20), "v1")
    assert source.run() == (10, "")


def test_retention_does_not_make_a_source_be_played_again(source):
    source.load(csv(20), "v1")
    source.run()
    delete_until(source.kafka, USAGE, 40)
    assert source.is_exhausted()
    assert source.run() == (0, "")
