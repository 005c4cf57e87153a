"""A tick of very many events ends at its deadline, and what is left loses nothing."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import ANOMALY, DEAD_LETTERS
from usage_platform.core.anomalies.stream import ScorerState
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.readings.messages import usage_messages
from usage_platform.services import score as scoring
from usage_platform.services import score_portions
from usage_platform.services.progress import scoring_lag
from usage_platform_tests.services.score.hourly_meter import (
    HOURS,
    JUDGED,
    tick,
    told,
)

pytestmark = pytest.mark.kafka

NO_MODELS = ModelTimeline([], lambda version: pytest.fail("no model"))


@pytest.fixture
def slow(monkeypatch):
    """Each call that scores takes as long as this says, by the scorer's clock."""
    now, cost = [0.0], {"seconds": 0.0}
    process = ScorerState.process

    def processed(*arguments):
        now[0] += cost["seconds"]
        return process(*arguments)

    monkeypatch.setattr(ScorerState, "process", processed)
    monkeypatch.setattr(scoring, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return cost


def first_readings(meters):
    """A reading of each of many meters, and now and then no reading."""
    frame = pd.DataFrame(
        {"meter": [f"meter {n}" for n in range(meters)], "ts": JUDGED, "value": 1.0}
    )
    messages = usage_messages(frame)
    return [
        m for n, message in enumerate(messages) for m in ([message] if n % 10 else [b"x", message])
    ]


def test_a_tick_stops_at_its_deadline_and_the_next_ones_do_the_rest(
    kafka, put, read_all, make_scorer, slow
):
    messages = first_readings(400)
    put(kafka, messages)
    scorer, done = make_scorer(kafka), []
    slow["seconds"] = 3.0
    while scoring_lag(kafka):
        done.append(tick(scorer, NO_MODELS, seconds=5.0))
        assert done[-1].lag == scoring_lag(kafka) == len(messages) - sum(d.events for d in done)
    assert len(done) > 1
    # Two portions at most: the second one begins before the deadline.
    assert all(0 < one.events <= 240 for one in done)
    assert sum(one.learning for one in done) == 400
    assert len(read_all(kafka, DEAD_LETTERS)) == sum(one.rejected for one in done) == 40


def test_a_scorer_that_ends_at_a_deadline_leaves_the_rest_to_the_next_one(
    kafka, put, read_all, make_scorer, timeline, live, expected, slow, monkeypatch
):
    monkeypatch.setattr(score_portions, "_MOST_WORK", 40.0)
    monkeypatch.setattr(score_portions, "_LEAST_WORK", 40.0)
    monkeypatch.setattr(score_portions, "_SERIES_WORK", 1.0)
    put(kafka, usage_messages(live), key=b"a")
    slow["seconds"], ticks = 9.0, 0
    while scoring_lag(kafka):
        result = tick(make_scorer(kafka), timeline, seconds=5.0)
        assert result.events == 40
        ticks += 1
    assert ticks == HOURS / 40
    stands = told(kafka, read_all).drop_duplicates("anomaly_id", keep="last")
    assert set(stands["anomaly_id"]) == set(expected.anomalies["anomaly_id"])
    messages = [json.loads(m.value()) for m in read_all(kafka, ANOMALY)]
    assert len({json.dumps(m, sort_keys=True) for m in messages}) == len(messages)


def test_late_readings_of_many_meters_are_several_portions_and_live_ones_are_one(
    kafka, put, make_scorer, slow
):
    put(kafka, first_readings(300))
    scorer = make_scorer(kafka)
    while scoring_lag(kafka):
        tick(scorer, NO_MODELS)
    frame = pd.DataFrame({"meter": [f"meter {n}" for n in range(300)], "value": 2.0})
    slow["seconds"] = 3.0
    for shift, fewest, most in (("1h", 300, 300), ("-1h", 1, 240)):
        put(kafka, usage_messages(frame.assign(ts=JUDGED + pd.Timedelta(shift))))
        result = tick(scorer, NO_MODELS, seconds=5.0)
        assert fewest <= result.events <= most
