"""Silent meters: published once, over restarts, and closed when their readings return."""

import json
from itertools import count

import pandas as pd
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource

from usage_platform.adapters.kafka.topics import EPISODE, USAGE, administration
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.services import score as scoring
from usage_platform.services.score_silence import SilenceRule, consumed_until
from usage_platform.services.tick_request import TickRequest
from usage_platform_tests.core.detector.made_models import NO_MODELS

START = pd.Timestamp("2026-03-02T00:00Z")
FIVE = pd.Timedelta(minutes=5)
LEAST = pd.Timedelta(minutes=15)
REGISTRY = MeterRegistry(Meter("a", "UTC", 5))


def put_at_their_times(kafka, rows):
    """Put readings on the topic as if the broker had appended them a minute after their ends."""
    producer = Producer(kafka.client())
    for meter, start in rows:
        value = json.dumps({"meter": meter, "ts": start.isoformat(), "value": 1.5})
        at = (start + FIVE + pd.Timedelta(minutes=1)).value // 10**6
        producer.produce(USAGE, value, meter, timestamp=at)
    assert producer.flush(60) == 0


@pytest.fixture
def timed_kafka(kafka):
    """Topics whose events have the times that a test gives them."""
    entry = ConfigEntry(
        "message.timestamp.type", "CreateTime", incremental_operation=AlterConfigOpType.SET
    )
    change = ConfigResource(ConfigResource.Type.TOPIC, USAGE, incremental_configs=[entry])
    with administration(kafka) as admin:
        for done in admin.incremental_alter_configs([change]).values():
            done.result(60)
    return kafka


@pytest.mark.kafka
def test_a_silence_is_published_once_over_restarts_and_closed_by_the_next_reading(
    timed_kafka, read_all, make_scorer, monkeypatch
):
    monkeypatch.setattr(scoring, "_QUIET_SECONDS", 0.5)
    kafka, steps = timed_kafka, count(12)
    put_at_their_times(kafka, [(meter, START + n * FIVE) for n in range(12) for meter in "abc"])

    def go_on(scorer, times, meters):
        """Ticks, five minutes apart, before each of which some meters deliver."""
        results = []
        for _ in range(times):
            at = START + next(steps) * FIVE
            put_at_their_times(kafka, [(meter, at) for meter in meters])
            now = (at + FIVE + pd.Timedelta(minutes=2)).timestamp()
            rule = SilenceRule(LEAST, dict, lambda now=now: now)
            results.append(scorer.tick(TickRequest(NO_MODELS, REGISTRY, seconds=60, silence=rule)))
        return results

    def lives():
        messages = [json.loads(m.value()) for m in read_all(kafka, EPISODE)]
        return [(m["meter"], m["episode"], m["status"], m["kind"]) for m in messages]

    name = f"{START + 13 * FIVE:%Y-%m-%dT%H:%MZ}"
    opened = [(meter, name, "opened", "silent") for meter in "ab"]
    scorer = make_scorer(kafka)
    go_on(scorer, 1, "abc")
    results = go_on(scorer, 6, "c")
    assert sum(result.silent for result in results) == 2
    assert lives() == opened
    other = make_scorer(kafka)
    assert not any(result.silent for result in go_on(other, 6, "c"))
    go_on(other, 1, "ac")
    closed = [("a", name, "closed", "gap")]
    assert lives() == opened + closed
    # All fall silent: nothing comes, and a transaction holds their messages alone.
    results = go_on(other, 6, "")
    assert [result.events for result in results] == [0] * 6
    assert [life[0] for life in lives()[3:]] == ["a", "c"]
    assert not any(result.silent for result in go_on(make_scorer(kafka), 6, ""))
    assert len(lives()) == 5


def test_a_scorer_that_is_behind_knows_only_of_what_it_has_consumed():
    now = 1_000.0
    assert consumed_until(now, [], {0: 5}) == 1_000 * 10**9
    assert consumed_until(now, [1], {0: 5, 1: 7}) == 7
    assert consumed_until(now, [0, 1], {0: 5, 1: 7}) == 5
    assert consumed_until(now, [0, 1], {0: 5}) is None
