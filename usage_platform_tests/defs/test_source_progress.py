"""What a source that is loaded, or played for long, says before its end."""

from contextlib import nullcontext
from types import SimpleNamespace

import dagster as dg
import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import KafkaUnreachableError
from usage_platform.defs import source_assets, source_progress
from usage_platform.defs.resources import PlatformResource
from usage_platform.defs.source_assets import source_readings, usage
from usage_platform.services.play import PlaybackProgress
from usage_platform.services.playback_plan import PlaybackPlan
from usage_platform.services.playback_progress import Played
from usage_platform_tests.defs.conftest import Platform

START = pd.Timestamp("2024-03-05T05:00:00Z")


@pytest.fixture
def materialize(tmp_path, monkeypatch, instance):
    """Materialize one asset on a fresh data folder."""
    monkeypatch.setenv("USAGE_DATA", str(tmp_path))
    monkeypatch.setenv("USAGE_KAFKA_BOOTSTRAP", "b:1")
    monkeypatch.setenv("USAGE_GENERATED_DAYS", "7")

    def run(asset):
        resources = {"platform": PlatformResource()}
        return dg.materialize([asset], instance=instance, resources=resources)

    return run


@pytest.fixture
def topic(tmp_path, monkeypatch):
    """A stand-in for Kafka onto which two readings are played, one after the other."""
    said = SimpleNamespace(end=0, is_away_at=())

    def play(kafka, todo, source, pace, report, check):
        progress = PlaybackProgress(total=2)
        for sent in (1, 2):
            said.end = progress.sent = sent
            progress.event_time = START + pd.Timedelta(hours=sent)
            report(progress)
        return progress

    def end_offsets(kafka, name):
        if said.end in said.is_away_at:
            said.is_away_at = ()
            raise KafkaUnreachableError("away")
        return {0: (0, said.end)}

    Platform(tmp_path).load()
    monkeypatch.setattr(source_assets, "ensure_topics", lambda kafka: None)
    monkeypatch.setattr(
        source_assets,
        "PlaybackLease",
        lambda kafka, holder: nullcontext(SimpleNamespace(check=lambda: None)),
    )
    monkeypatch.setattr(PlaybackPlan, "played", lambda *_: Played({}))
    monkeypatch.setattr(PlaybackPlan, "remaining", lambda *_: [0, 1])
    monkeypatch.setattr(PlaybackPlan, "keep_end", lambda *_: None)
    monkeypatch.setattr(source_assets, "play", play)
    for module in (source_assets, source_progress):
        monkeypatch.setattr(module, "end_offsets", end_offsets)
    return said


def told_of_usage(instance) -> list[tuple[int, int, str]]:
    """What each materialization says, in order: readings, offset, event time."""
    records = instance.fetch_materializations(usage.key, limit=9, ascending=True).records
    told = [{k: v.value for k, v in r.asset_materialization.metadata.items()} for r in records]
    return [(t["readings_played"], t["end_offsets"]["0"], t["event_time"][11:13]) for t in told]


def test_a_playback_tells_how_far_it_is_and_at_its_end_what_it_came_to(
    materialize, topic, instance, monkeypatch
):
    monkeypatch.setattr(source_progress, "_MATERIALIZATION_SECONDS", 0.0)
    assert materialize(usage).success
    assert told_of_usage(instance) == [(1, 1, "06"), (2, 2, "07"), (2, 2, "07")]


def test_a_short_playback_tells_only_what_it_came_to(materialize, topic, instance):
    assert materialize(usage).success
    assert told_of_usage(instance) == [(2, 2, "07")]


def test_a_playback_goes_on_when_the_broker_is_away_as_it_would_tell(
    materialize, topic, instance, monkeypatch
):
    monkeypatch.setattr(source_progress, "_MATERIALIZATION_SECONDS", 0.0)
    topic.is_away_at = (1,)
    assert materialize(usage).success
    assert told_of_usage(instance) == [(2, 2, "07"), (2, 2, "07")]


def test_loading_a_source_says_how_many_rows_it_has_read(materialize, instance, monkeypatch):
    monkeypatch.setattr(source_progress, "_LINE_SECONDS", 0.0)
    result = materialize(source_readings)
    lines = [entry.user_message for entry in instance.all_logs(result.run_id)]
    (made,) = result.asset_materializations_for_node("source_readings")
    rows = made.metadata["rows_in_source"].value
    assert f"read {rows:,} of {rows:,} rows" in lines
