"""How far the scorer is: its lag, partitions that are added, ticks that end."""

import threading
import time
from types import SimpleNamespace

import pandas as pd
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from usage_platform.adapters.kafka.consuming import consume
from usage_platform.adapters.kafka.topics import SCORER_GROUP, USAGE
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import Lake
from usage_platform.core.readings.messages import usage_messages
from usage_platform.services import score as scoring
from usage_platform.services.offset_marks import OtherLakeError
from usage_platform.services.progress import scoring_lag
from usage_platform.services.score import Scorer
from usage_platform_tests.services.score.hourly_meter import (
    FOREVER,
    HOURS,
    assert_told_once,
    standing,
    tick,
)
from usage_platform_tests.topics import delete_until, recreate_topic

pytestmark = pytest.mark.kafka
# Longer than a test may take: a tick that ends earlier has another reason.
A_DAY = 86_400.0


def test_the_lag_before_any_scorer_is_all_that_waits(fresh_topics, put):
    kafka = fresh_topics(partitions=2)
    assert scoring_lag(kafka) == 0
    put(kafka, [(0, b"x"), (1, b"y"), (1, b"z")])
    assert scoring_lag(kafka) == 3


def test_partitions_that_are_added_are_scored_too(
    kafka, put, read_all, make_scorer, timeline, live, expected
):
    from confluent_kafka.admin import AdminClient
    from confluent_kafka.cimpl import NewPartitions

    messages = usage_messages(live)
    put(kafka, messages[:100])
    scorer = make_scorer(kafka)
    assert tick(scorer, timeline).events == 100
    admin = AdminClient(kafka.client())
    admin.create_partitions([NewPartitions(USAGE, 3)])[USAGE].result()
    deadline = time.monotonic() + FOREVER
    while len(admin.list_topics(USAGE, timeout=30).topics[USAGE].partitions) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    put(kafka, [(1 + n % 2, message) for n, message in enumerate(messages[100:])])
    result = tick(scorer, timeline)
    assert (result.events, result.lag) == (HOURS - 100, 0)
    assert result.offsets[0] == 100
    assert sum(result.offsets.values()) == HOURS
    assert result.seconds > 0
    assert tick(scorer, timeline).offsets == {}
    pd.testing.assert_frame_equal(standing(kafka, read_all), expected.anomalies)


def test_a_tick_that_does_not_listen_ends_though_events_keep_coming(
    kafka, put, make_scorer, timeline, live, monkeypatch
):
    put(kafka, usage_messages(live[:20]), key=b"a")
    scorer = make_scorer(kafka)
    score = scorer._score

    def score_while_another_comes(*batch):
        going_on = score(*batch)
        put(kafka, usage_messages(live[20:21]), key=b"a")
        return going_on

    monkeypatch.setattr(scorer, "_score", score_while_another_comes)
    result = tick(scorer, timeline)
    assert result.events >= 20
    assert result.lag >= 1


def test_a_tick_that_listens_scores_what_comes_later_until_its_time_is_up(
    kafka, put, make_scorer, timeline, live, monkeypatch
):
    put(kafka, usage_messages(live[:20]), key=b"a")
    scorer = make_scorer(kafka)
    parts, passed = [live[20:21], live[21:22]], [0.0]
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + sum(passed))
    monkeypatch.setattr(scoring, "time", clock)

    def consume_after_a_pause(*arguments):
        arrived = consume(*arguments)
        if not arrived and parts:
            put(kafka, usage_messages(parts.pop(0)), key=b"a")
        elif not arrived:
            passed.append(FOREVER)
        return arrived

    monkeypatch.setattr(scoring, "consume", consume_after_a_pause)
    result = tick(scorer, timeline, listen=True)
    assert (result.events, result.lag) == (22, 0)


def test_a_tick_that_listens_passes_markers_and_ends_when_its_process_does(
    kafka, make_scorer, timeline, live, monkeypatch
):
    producer = Producer(kafka.client(**{"transactional.id": "meters"}))
    producer.init_transactions(30)
    producer.begin_transaction()
    for value in usage_messages(live[:20]):
        producer.produce(USAGE, value, b"a")
    producer.commit_transaction(30)
    ending, lags = threading.Event(), []

    def consume_until_it_is_quiet(*arguments):
        arrived = consume(*arguments)
        if not arrived:
            lags.append(scoring_lag(kafka))
            ending.set()
        return arrived

    monkeypatch.setattr(scoring, "ENDING", ending)
    monkeypatch.setattr(scoring, "consume", consume_until_it_is_quiet)
    assert tick(make_scorer(kafka), timeline, A_DAY, listen=True).events == 20
    assert lags == [0]


@pytest.mark.parametrize("restarted", [False, True])
def test_a_topic_that_was_created_again_is_scored_from_its_first_event(
    kafka, put, read_all, make_scorer, timeline, live, expected, restarted
):
    messages = usage_messages(live)
    put(kafka, messages[:100], key=b"a")
    scorer = make_scorer(kafka)
    assert tick(scorer, timeline).events == 100
    recreate_topic(kafka, USAGE)
    # The old offset, 100, is within the new topic.
    put(kafka, messages, key=b"a")
    assert scoring_lag(kafka) == HOURS
    if restarted:
        scorer = make_scorer(kafka)
    result = tick(scorer, timeline)
    assert (result.events, result.lag, result.notice) == (HOURS, 0, "")
    assert result.offsets == {0: HOURS}
    pd.testing.assert_frame_equal(standing(kafka, read_all), expected.anomalies)


def test_offsets_of_an_older_topic_that_were_committed_late_say_nothing_of_the_new_one(
    kafka, put, make_scorer, timeline
):
    client = Consumer(kafka.client(**{"group.id": SCORER_GROUP}))
    old = [TopicPartition(USAGE, 0, 2, "id-of-the-topic-before")]
    client.commit(offsets=old, asynchronous=False)
    client.close()
    put(kafka, [b"1", b"2", b"3"])
    assert scoring_lag(kafka) == 3
    assert tick(make_scorer(kafka), timeline).events == 3


def test_events_that_were_deleted_before_they_were_scored_are_named_in_one_line(
    kafka, put, make_scorer, timeline
):
    put(kafka, [b"event"] * 10)
    assert tick(make_scorer(kafka), timeline).events == 10
    put(kafka, [b"event"] * 10)
    delete_until(kafka, USAGE, 15)
    result = tick(make_scorer(kafka), timeline)
    assert result.events == 5
    assert "deleted offsets 10 to 14 of partition 0 before they were scored" in result.notice
    assert "\n" not in result.notice


def test_the_scorer_of_a_second_lake_is_refused_and_does_not_stop_the_first(
    kafka, put, make_scorer, timeline, tmp_path
):
    put(kafka, [b"1"])
    first = make_scorer(kafka)
    assert tick(first, timeline).events == 1
    with pytest.raises(OtherLakeError) as refused:
        Scorer(kafka, LakeReader(Lake(str(tmp_path / "second"))))
    assert "are scored for another lake" in str(refused.value)
    assert "delete the consumer group anomaly-scorer" in str(refused.value)
    assert "\n" not in str(refused.value)
    put(kafka, [b"2"])
    # It was not fenced.
    assert tick(first, timeline).events == 1


def test_markers_of_transactions_on_usage_are_no_events_that_wait(
    kafka, put, read_all, make_scorer, timeline, live, expected
):
    messages = usage_messages(live)
    producer = Producer(kafka.client(**{"transactional.id": "meters"}))
    producer.init_transactions(30)
    for part in (messages[:-5], messages[-5:]):
        producer.begin_transaction()
        for value in part:
            producer.produce(USAGE, value, b"a")
        producer.commit_transaction(30)
        assert tick(make_scorer(kafka), timeline).events == len(part)
        assert scoring_lag(kafka) == 0
    assert_told_once(kafka, read_all, expected)
