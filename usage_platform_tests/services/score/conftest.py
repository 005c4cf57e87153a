"""Two small models, ten days for them to judge, and scorers."""

from types import SimpleNamespace

import pandas as pd
import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.services.score import Scorer
from usage_platform_tests.services.score.hourly_meter import (
    HOURS,
    JUDGED,
    NEXT,
    readings,
    small_model,
    told_in_one_go,
)


@pytest.fixture(scope="package")
def models(tmp_path_factory) -> str:
    """Where the models of these tests lie."""
    return str(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="package")
def store(models) -> ModelStore:
    """A store with two small models; the first one is in force."""
    found = ModelStore(LakeFiles(models))
    made = [small_model(JUDGED, seed=1), small_model(NEXT, seed=5)]
    for one in made:
        found.save(one)
    found.promote([made[0].manifest.version])
    return found


@pytest.fixture(scope="package")
def timeline(store) -> ModelTimeline:
    return ModelTimeline(store.manifests(), store.load)


@pytest.fixture(scope="package")
def live() -> pd.DataFrame:
    """Ten days to be judged."""
    return readings(JUDGED, HOURS, seed=2)


@pytest.fixture(scope="package")
def expected(live, timeline) -> SimpleNamespace:
    return told_in_one_go(live, timeline)


@pytest.fixture
def make_scorer(lake):
    """Scorers that are closed after the test; the lake is empty."""
    made = []

    def make(kafka):
        made.append(Scorer(kafka, LakeReader(lake)))
        return made[-1]

    yield make
    for scorer in made:
        scorer.close()


@pytest.fixture(scope="package")
def both(store) -> ModelTimeline:
    """The next model is there too."""
    return ModelTimeline(store.candidates(), store.load)
