"""Readings of the past wait for the model of their time; live ones do not."""

import time

import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import DEAD_LETTERS
from usage_platform.core.readings.messages import usage_messages
from usage_platform_tests.services.score.hourly_meter import (
    FOREVER,
    HOURS,
    NEXT,
    assert_told_once,
    readings,
    tick,
    told,
    told_in_one_go,
)

pytestmark = pytest.mark.kafka


def test_readings_of_the_past_wait_for_the_model_of_their_time(
    kafka, put, read_all, make_scorer, timeline, both, live
):
    messages = usage_messages(live)
    first = int((live["ts"] < NEXT).sum())
    # Everything comes twice: the first time must wait as well.
    put(kafka, [*messages, *messages], key=b"a")
    scorer = make_scorer(kafka)
    for events in (first, 0):
        result = tick(scorer, timeline, horizon=NEXT)
        assert (result.events, result.lag) == (events, 2 * HOURS - first)
        assert result.waits_for == NEXT
    assert told(kafka, read_all)["event_time"].max() < NEXT
    result = tick(scorer, both, horizon=NEXT + pd.Timedelta(days=7))
    assert (result.events, result.lag, result.waits_for) == (2 * HOURS - first, 0, None)
    assert result.versions == {both.manifests[1].version}
    assert_told_once(kafka, read_all, told_in_one_go(live, both))


def test_a_partition_that_waits_for_a_model_does_not_hold_up_the_others(
    fresh_topics, put, read_all, make_scorer, timeline, both, live
):
    kafka = fresh_topics(partitions=2)
    early = int((live["ts"] < NEXT).sum())
    late = usage_messages(live[early:])
    put(kafka, [(1, message) for message in late])
    put(kafka, [(0, message) for message in usage_messages(live[:early])])
    scorer = make_scorer(kafka)
    deadline = time.monotonic() + FOREVER
    while tick(scorer, timeline, horizon=NEXT).lag > len(late):
        assert time.monotonic() < deadline
    assert tick(scorer, timeline, horizon=NEXT).lag == len(late)
    assert tick(scorer, both).events == len(late)
    assert_told_once(kafka, read_all, told_in_one_go(live, both))


def test_live_readings_do_not_wait_for_the_model_of_their_time(kafka, put, make_scorer, timeline):
    now = pd.Timestamp.now(tz="UTC").floor("h").as_unit("ns")
    put(kafka, usage_messages(readings(now - pd.Timedelta(hours=20), 21, seed=3)))
    result = tick(make_scorer(kafka), timeline, horizon=NEXT)
    assert (result.events, result.scored, result.lag, result.waits_for) == (21, 21, 0, None)


def test_what_is_no_reading_does_not_wait_for_a_model(
    kafka, put, read_all, make_scorer, timeline, live
):
    first = int((live["ts"] < NEXT).sum())
    good = usage_messages(live)
    put(kafka, [*good[:first], b"{", *good[first:], b"["], key=b"a")
    result = tick(make_scorer(kafka), timeline, horizon=NEXT)
    assert (result.events, result.rejected, result.lag) == (first + 1, 1, HOURS - first + 1)
    assert [m.value() for m in read_all(kafka, DEAD_LETTERS)] == [b"{"]
