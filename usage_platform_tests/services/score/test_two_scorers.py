"""Two scorers at once: the newer one takes over, and nothing is told twice."""

import pytest
from confluent_kafka import Producer

from usage_platform.core.readings.messages import usage_messages
from usage_platform.services import score_fencing
from usage_platform.services.score_fencing import ScorerFencedError
from usage_platform_tests.services.score.hourly_meter import HOURS, assert_told_once, tick

pytestmark = pytest.mark.kafka


def test_of_two_scorers_the_older_one_can_commit_nothing_more_and_says_so(
    kafka, put, read_all, make_scorer, timeline, live, expected
):
    messages = usage_messages(live)
    put(kafka, messages[:100])
    older = make_scorer(kafka)
    tick(older, timeline)
    newer = make_scorer(kafka)
    put(kafka, messages[100:])
    with pytest.raises(ScorerFencedError, match=r"^another scorer has taken over[^\n]+$"):
        tick(older, timeline)
    assert tick(newer, timeline).events == HOURS - 100
    assert_told_once(kafka, read_all, expected)


class KilledError(Exception):
    """In place of a kill: nothing of the process runs after it."""


class KilledBeforeCommit(Producer):
    def commit_transaction(self, *given):
        raise KilledError


def test_a_scorer_takes_over_at_once_from_one_that_was_killed_before_its_commit(
    kafka, put, read_all, make_scorer, timeline, live, expected, monkeypatch
):
    messages = usage_messages(live)
    put(kafka, messages[:100])
    tick(make_scorer(kafka), timeline)
    put(kafka, messages[100:])
    with monkeypatch.context() as patch:
        patch.setattr(score_fencing, "Producer", KilledBeforeCommit)
        dying = make_scorer(kafka)
    with pytest.raises(KilledError):
        tick(dying, timeline)
    # Its transaction would last for a minute.
    assert tick(make_scorer(kafka), timeline).events == HOURS - 100
    assert_told_once(kafka, read_all, expected)


def test_what_the_older_scorer_told_last_is_known_to_the_newer_one(
    kafka, put, read_all, make_scorer, timeline, live, expected, monkeypatch
):
    put(kafka, usage_messages(live))
    older = make_scorer(kafka)

    class LetsTheOlderOneFinish(Producer):
        def init_transactions(self, timeout):
            tick(older, timeline)
            super().init_transactions(timeout)

    monkeypatch.setattr(score_fencing, "Producer", LetsTheOlderOneFinish)
    newer = make_scorer(kafka)
    put(kafka, usage_messages(live))
    assert tick(newer, timeline).anomalies == 0
    assert_told_once(kafka, read_all, expected)
