"""How far the scorer is: its lag, partitions that are added, ticks that end."""

import time

import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.core.readings.messages import usage_messages
from usage_platform.services.progress import scoring_lag
from usage_platform_tests.services.score.hourly_meter import FOREVER, HOURS, standing, tick

pytestmark = pytest.mark.kafka


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
