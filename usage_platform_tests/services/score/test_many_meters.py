"""What the scorer holds does not grow with the names that it has seen."""

import pickle
from dataclasses import replace

import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import DEAD_LETTERS
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.limits import EventLimits
from usage_platform.core.readings.messages import usage_messages
from usage_platform.services.tick_request import TickRequest
from usage_platform_tests.services.score.hourly_meter import FOREVER, JUDGED, REGISTRY

pytestmark = pytest.mark.kafka

NO_MODELS = ModelTimeline([], lambda version: pytest.fail("no model"))
FEW = replace(REGISTRY, limits=EventLimits(meters=5))  # One of them is the default meter.


def events_of(names):
    return usage_messages(pd.DataFrame({"meter": names, "ts": JUDGED, "value": 1.0}))


def size_of(scorer):
    memory = scorer._memory
    held = (memory.history, memory.published, memory.published_episodes, memory.live)
    return len(pickle.dumps((*held, memory.horizon, scorer._meters, scorer._pace)))


def test_names_beyond_the_limit_leave_nothing_and_known_meters_go_on(
    kafka, put, read_all, make_scorer
):
    scorer = make_scorer(kafka)
    first = [f"meter {n}" for n in range(4)]
    put(kafka, events_of(first))
    assert scorer.tick(TickRequest(NO_MODELS, FEW, FOREVER)).learning == 4
    size = size_of(scorer)
    put(kafka, events_of([f"other {n}" for n in range(1_000)]))
    done = scorer.tick(TickRequest(NO_MODELS, FEW, FOREVER))
    assert (done.events, done.rejected, done.lag) == (1_000, 1_000, 0)
    assert len(read_all(kafka, DEAD_LETTERS)) == 1_000
    assert size_of(scorer) == size
    later = pd.DataFrame({"meter": first, "ts": JUDGED + pd.Timedelta(hours=1), "value": 1.0})
    put(kafka, usage_messages(later))
    assert scorer.tick(TickRequest(NO_MODELS, FEW, FOREVER)).learning == 4
    assert scorer._memory.history.meters() == first
