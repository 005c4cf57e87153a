"""What the scorer tells: each anomaly once, however events come, and no event is lost."""

import json

import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import ANOMALY, DEAD_LETTERS, EPISODE
from usage_platform.core.anomalies.anomaly import no_anomalies
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.readings.messages import usage_messages
from usage_platform.services import score as scoring
from usage_platform.services.progress import scoring_lag
from usage_platform_tests.services.score.hourly_meter import (
    HOURS,
    JUDGED,
    assert_told_once,
    readings,
    standing,
    tick,
    told,
)

pytestmark = pytest.mark.kafka


def test_odd_readings_are_told_with_their_meter_as_key_and_all_is_counted(
    kafka, put, read_all, make_scorer, timeline, live, expected
):
    put(kafka, usage_messages(live), key=b"a")
    scorer = make_scorer(kafka)
    assert tick(scorer, timeline, seconds=0).lag == scoring_lag(kafka) == HOURS
    result = tick(scorer, timeline)
    assert (result.events, result.scored, result.lag) == (HOURS, HOURS, 0)
    assert (result.learning, result.rejected, result.repeated, result.withdrawn) == (0, 0, 0, 0)
    assert result.anomalies == len(expected.anomalies)
    assert result.episodes == len(expected.episodes)
    assert result.waits_for is None
    assert result.newest == live["ts"].max()
    assert result.versions == {timeline.manifests[0].version}
    assert scoring_lag(kafka) == 0
    assert_told_once(kafka, read_all, expected)
    message = read_all(kafka, ANOMALY)[0]
    event = json.loads(message.value())
    assert message.key() == b"a"
    # For people: the building's own time.
    assert event["ts"].endswith("-05:00")
    assert pd.Timestamp(event["ts"]) == expected.anomalies["event_time"][0]
    assert {m.key() for m in read_all(kafka, EPISODE)} == {b"a"}


def test_an_event_that_comes_again_is_not_told_again(
    kafka, put, read_all, make_scorer, timeline, live, expected
):
    messages = usage_messages(live)
    put(kafka, [m for message in messages for m in (message, message)])
    first = make_scorer(kafka)
    assert tick(first, timeline).anomalies == len(expected.anomalies)
    put(kafka, messages)
    again = tick(first, timeline)
    put(kafka, messages)
    anew = tick(make_scorer(kafka), timeline)
    for result in (again, anew):
        assert (result.events, result.anomalies, result.episodes) == (HOURS, 0, 0)
        assert (result.scored, result.repeated) == (0, 0)
    assert_told_once(kafka, read_all, expected)


def test_how_events_fall_into_batches_and_ticks_changes_no_anomaly(
    fresh_topics, put, read_all, make_scorer, timeline, live, expected, monkeypatch
):
    kafka = fresh_topics(partitions=3)
    monkeypatch.setattr(scoring, "_BATCH", 37)
    spread = [(n % 3, message) for n, message in enumerate(usage_messages(live))]
    scorer = make_scorer(kafka)
    for part in (spread[:50], spread[50:51], spread[51:]):
        put(kafka, part)
        assert tick(scorer, timeline).events == len(part)
    # Over several partitions readings come late: episodes may grow to the front and be told anew.
    assert told(kafka, read_all)["anomaly_id"].nunique() == len(expected.anomalies)
    pd.testing.assert_frame_equal(standing(kafka, read_all), expected.anomalies)


def test_events_that_are_no_readings_go_to_the_dead_letters_as_they_came(
    kafka, put, read_all, make_scorer, timeline, live, expected
):
    bad = [b"{", b"\xff", b"[]", b'{"ts": "2024-02-05T05:00:00Z"}', b"", None]
    good = usage_messages(live)
    put(kafka, [*good[:100], *bad, *good[100:]], key=b"a")
    result = tick(make_scorer(kafka), timeline)
    assert (result.events, result.scored, result.rejected) == (HOURS + 6, HOURS, 6)
    letters = read_all(kafka, DEAD_LETTERS)
    assert [m.value() for m in letters] == bad
    assert {m.key() for m in letters} == {b"a"}
    assert_told_once(kafka, read_all, expected)


def test_readings_that_no_model_judges_are_counted_and_passed_over(
    kafka, put, read_all, make_scorer, timeline
):
    early = readings(JUDGED - pd.Timedelta(hours=5), 5, seed=3)
    unknown = readings(JUDGED, 2, seed=3).assign(meter="unknown")
    put(kafka, [*usage_messages(early), *usage_messages(unknown)])
    result = tick(make_scorer(kafka), timeline)
    assert (result.events, result.scored, result.learning, result.lag) == (7, 0, 7, 0)
    assert read_all(kafka, ANOMALY) == []


def test_before_any_model_readings_are_counted_as_learning(
    kafka, put, read_all, make_scorer, store, live
):
    put(kafka, usage_messages(live))
    result = tick(make_scorer(kafka), ModelTimeline([], store.load))
    assert (result.events, result.learning, result.scored, result.anomalies) == (HOURS, HOURS, 0, 0)
    pd.testing.assert_frame_equal(told(kafka, read_all), no_anomalies())
