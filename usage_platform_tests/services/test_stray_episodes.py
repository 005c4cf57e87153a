"""Strays on the topic `episode` are rejects, once each; the messages of the platform are none."""

import json

import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import EPISODE
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import REJECTS
from usage_platform.services import stray_episodes
from usage_platform.services.event_counts import reject_counts
from usage_platform.services.redrive import ALL_REASONS, chosen_rejects
from usage_platform.services.stray_episodes import reject_stray_episodes
from usage_platform_tests.stray_messages import STRAY

pytestmark = pytest.mark.kafka

WITHDRAWN = json.dumps(
    {
        "event_id": "0123456789abcdef",
        "meter": "library",
        "episode": "2024-11-03T04:00Z",
        "at": "2024-11-03T05:00:00Z",
        "status": "withdrawn",
    }
).encode()


@pytest.fixture
def merged(monkeypatch):
    """The rejects that would be merged, by call."""
    calls = []
    monkeypatch.setattr(
        stray_episodes, "merge_rejects", lambda lake, rejects: calls.append(rejects)
    )
    return calls


def test_strays_are_found_with_their_place_once(kafka, put, lake, merged):
    put(kafka, [WITHDRAWN, *STRAY, WITHDRAWN], topic=EPISODE)
    assert reject_stray_episodes(lake, kafka) == len(STRAY)
    (rejects,) = merged
    assert rejects["offset"].tolist() == list(range(1, len(STRAY) + 1))
    assert set(rejects["topic"]) == {EPISODE}
    assert set(rejects["reason"]) == {"not_an_episode"}
    assert rejects["raw"].str.len().max() == 1000
    assert reject_stray_episodes(lake, kafka) == 0
    put(kafka, [b"hello"], topic=EPISODE)
    assert reject_stray_episodes(lake, kafka) == 1
    assert len(merged) == 2


def test_a_kill_before_the_offsets_are_written_finds_the_same_again(
    kafka, put, lake, merged, monkeypatch
):
    put(kafka, [b"hello", WITHDRAWN], topic=EPISODE)
    with monkeypatch.context() as patch:
        patch.setattr(stray_episodes.LakeFiles, "write_text", lambda *_: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception):
            reject_stray_episodes(lake, kafka)
    assert reject_stray_episodes(lake, kafka) == 1
    first, second = merged
    pd.testing.assert_frame_equal(first, second)


def test_a_topic_that_was_made_again_is_read_from_its_beginning(
    kafka, fresh_topics, put, lake, merged
):
    put(kafka, [WITHDRAWN] * 3, topic=EPISODE)
    assert reject_stray_episodes(lake, kafka) == 0
    again = fresh_topics()
    put(again, [b"hello"], topic=EPISODE)
    assert reject_stray_episodes(lake, again) == 1


def test_they_are_in_the_table_once_and_are_not_redriven(kafka, put, lake):
    create_tables(lake)
    put(kafka, [b"x" * 900_000, *STRAY], topic=EPISODE)
    for own in ("", "again"):
        assert reject_stray_episodes(lake, kafka, own) == len(STRAY) + 1
        rejects = LakeReader(lake).rows(REJECTS).sort_values("offset", ignore_index=True)
        assert rejects["offset"].tolist() == list(range(len(STRAY) + 1))
        assert rejects.loc[0, "detail"] == "900,000 bytes: not a message of the platform"
    (count,) = reject_counts(LakeReader(lake))
    assert (count.topic, count.reason, count.count) == (EPISODE, "not_an_episode", len(STRAY) + 1)
    assert chosen_rejects(LakeReader(lake), ALL_REASONS, None, None).empty
