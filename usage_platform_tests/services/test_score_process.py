"""Both ends of a scorer's process, here in one process: which of its errors are told where."""

from types import SimpleNamespace

import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import Lake
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.meters import MeterRegistry
from usage_platform.services import score_process
from usage_platform.services.score_division import WHOLE
from usage_platform.services.score_fencing import ScorerFencedError
from usage_platform.services.score_process import ScorerProcess, ScorerProcessError
from usage_platform.services.score_result import TickResult
from usage_platform.services.tick_request import TickRequest


@pytest.fixture
def world(monkeypatch):
    """A process that carries requests out at once, and its scorer, which fails as it is told."""
    told = SimpleNamespace(error=None, handle=score_process.make_handler())

    class FakeCompanion:
        def __init__(self, make):
            pass

        def request(self, content, answer):
            return told.handle(content, answer)

    class FakeScorer:
        def __init__(self, kafka, reader, share, claim):
            pass

        def tick(self, *rest):
            if told.error is not None:
                raise told.error
            return TickResult(events=3)

    monkeypatch.setattr(score_process, "Companion", FakeCompanion)
    monkeypatch.setattr(score_process, "Scorer", FakeScorer)
    return told


@pytest.fixture
def scorer(world):
    reader = LakeReader(Lake(""))
    return ScorerProcess(KafkaSettings("b:1"), reader, WHOLE, lambda meters: {})


def tick(scorer):
    timeline = ModelTimeline([], {}.__getitem__, pd.DataFrame())
    return scorer.tick(TickRequest(timeline, MeterRegistry(), 1.0))


def test_a_tick_without_a_scorer_fails_instead_of_scoring_nothing(world, scorer):
    assert tick(scorer).events == 3
    world.handle = score_process.make_handler()
    with pytest.raises(ScorerProcessError, match="before its scorer"):
        tick(scorer)


def test_the_process_logs_where_a_mistake_was_made(world, scorer, caplog):
    world.error = KeyError("meter")
    with pytest.raises(ScorerProcessError, match="meter"):
        tick(scorer)
    assert "raise told.error" in caplog.text


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (LakeError("readings: gone"), ScorerProcessError),
        (ConnectionError("no broker"), ScorerProcessError),
        (ScorerFencedError(), ScorerFencedError),
    ],
)
def test_what_may_happen_is_told_in_one_line_and_not_logged(world, scorer, caplog, error, kind):
    world.error = error
    with pytest.raises(kind, match=str(error)):
        tick(scorer)
    assert not caplog.records
