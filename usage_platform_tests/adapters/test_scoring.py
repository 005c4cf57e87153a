"""The scorer: each anomaly reaches the topic once, whatever dies when, and no event is lost."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from confluent_kafka import KafkaException, Producer

from usage_platform.adapters import scoring
from usage_platform.adapters.kafka_topics import ANOMALY, DEAD_LETTERS, USAGE
from usage_platform.adapters.lake_files import LakeFiles
from usage_platform.adapters.model_store import ModelStore
from usage_platform.adapters.scoring import Scorer
from usage_platform.adapters.stream_progress import scoring_lag
from usage_platform.core.anomalies import anomalies_from_messages, find_anomalies
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.model import Manifest, Model, model_version
from usage_platform.core.slot_forests import train_slot_forests
from usage_platform.core.wire import usage_messages

METER = Meter("a", interval_minutes=60)
REGISTRY = MeterRegistry(METER)
HISTORY = pd.Timestamp("2024-01-01T05:00:00Z")
JUDGED = HISTORY + pd.Timedelta(weeks=5)
HOURS = 24 * 10
FOREVER = 120.0

# A scorer of its own that hangs with its third batch produced and not committed.
HANGING_SCORER = """
import pathlib, sys, time
from usage_platform.adapters import scoring
from usage_platform.adapters.kafka_topics import KafkaSettings
from usage_platform.adapters.lake_files import LakeFiles
from usage_platform.adapters.model_store import ModelStore
from usage_platform.core.meters import Meter, MeterRegistry

class HangsAtTheThirdCommit(scoring.Producer):
    commits = 0
    def commit_transaction(self, timeout):
        self.commits += 1
        if self.commits == 3:
            self.flush()
            pathlib.Path(sys.argv[3]).touch()
            time.sleep(600)
        super().commit_transaction(timeout)

scoring.Producer, scoring._BATCH = HangsAtTheThirdCommit, 50
store = ModelStore(LakeFiles(sys.argv[2]))
scorer = scoring.Scorer(KafkaSettings(sys.argv[1]), store)
scorer.tick(store.manifests(), MeterRegistry(Meter("a", interval_minutes=60)), 600)
"""

pytestmark = pytest.mark.kafka


def readings(start, hours, seed):
    """A building that draws more by day, with some noise and a spike now and then."""
    rng = np.random.default_rng(seed)
    times = pd.date_range(start, periods=hours, freq="h", unit="ns")
    values = 500 + 200 * np.sin(np.arange(hours) * 2 * np.pi / 24) + rng.normal(0, 10, hours)
    values[rng.random(hours) < 0.1] *= 1.5
    return pd.DataFrame({"meter": METER.name, "ts": times, "value": values.round(1)})


def as_table(frame):
    return frame.rename(columns={"ts": "event_time"})


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> str:
    """Where the models of these tests lie."""
    return str(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def store(models) -> ModelStore:
    """A store with one small model, trained on five weeks of hours before `JUDGED`."""
    history = as_table(readings(HISTORY, 24 * 35, seed=1))
    forests = {METER.name: train_slot_forests(history, METER, lambda done, total: None)}
    manifest = Manifest(
        version=model_version(JUDGED, forests),
        method="blog",
        window_start=HISTORY.isoformat(),
        window_end=JUDGED.isoformat(),
        trained_at=JUDGED.isoformat(),
        readings=len(history),
        meters=1,
        slots_trained=168,
        slots_thin=0,
        data_version=0,
        libraries={},
    )
    found = ModelStore(LakeFiles(models))
    assert found.save(Model(manifest, forests))
    return found


@pytest.fixture(scope="module")
def live() -> pd.DataFrame:
    """Ten days to be judged."""
    return readings(JUDGED, HOURS, seed=2)


@pytest.fixture(scope="module")
def expected(live, store) -> pd.DataFrame:
    """What is odd about them, found in one go without Kafka."""
    found = find_anomalies(as_table(live), store.manifests(), store.load)
    assert found.scored == HOURS
    assert 20 < len(found.anomalies) < HOURS
    return found.anomalies


@pytest.fixture
def make_scorer(store):
    """Scorers that are closed after the test."""
    made = []

    def make(kafka):
        made.append(Scorer(kafka, store))
        return made[-1]

    yield make
    for scorer in made:
        scorer.close()


def tick(scorer, store, seconds=FOREVER):
    return scorer.tick(store.manifests(), REGISTRY, seconds)


def assert_told_once(kafka, read_all, expected):
    told = anomalies_from_messages([m.value() for m in read_all(kafka, ANOMALY)])
    told = told.sort_values(["meter", "event_time"], ignore_index=True)
    pd.testing.assert_frame_equal(told, expected)


def test_odd_readings_are_told_with_their_meter_as_key_and_all_is_counted(
    kafka, put, read_all, make_scorer, store, live, expected
):
    put(kafka, usage_messages(live), key=b"a")
    scorer = make_scorer(kafka)
    assert tick(scorer, store, seconds=0).lag == scoring_lag(kafka) == HOURS
    result = tick(scorer, store)
    assert (result.events, result.scored, result.lag) == (HOURS, HOURS, 0)
    assert (result.learning, result.thin, result.rejected, result.repeated) == (0, 0, 0, 0)
    assert result.anomalies == len(expected)
    assert result.newest == live["ts"].max()
    assert result.versions == {store.manifests()[0].version}
    assert scoring_lag(kafka) == 0
    assert_told_once(kafka, read_all, expected)
    message = read_all(kafka, ANOMALY)[0]
    event = json.loads(message.value())
    assert message.key() == b"a"
    # For people: the building's own time.
    assert event["ts"].endswith("-05:00")
    assert pd.Timestamp(event["ts"]) == expected["event_time"][0]


def test_an_event_that_comes_again_is_not_told_again(
    kafka, put, read_all, make_scorer, store, live, expected
):
    messages = usage_messages(live)
    put(kafka, [m for message in messages for m in (message, message)])
    first = make_scorer(kafka)
    assert tick(first, store).anomalies == len(expected)
    put(kafka, messages)
    again = tick(first, store)
    put(kafka, messages)
    anew = tick(make_scorer(kafka), store)
    for result in (again, anew):
        assert (result.events, result.anomalies, result.repeated) == (HOURS, 0, len(expected))
    assert_told_once(kafka, read_all, expected)


def test_how_events_fall_into_batches_and_ticks_changes_no_anomaly(
    fresh_topics, put, read_all, make_scorer, store, live, expected, monkeypatch
):
    kafka = fresh_topics(partitions=3)
    monkeypatch.setattr(scoring, "_BATCH", 37)
    spread = [(n % 3, message) for n, message in enumerate(usage_messages(live))]
    scorer = make_scorer(kafka)
    for part in (spread[:50], spread[50:51], spread[51:]):
        put(kafka, part)
        assert tick(scorer, store).events == len(part)
    assert_told_once(kafka, read_all, expected)


def test_a_scorer_killed_with_anomalies_sent_and_not_committed_loses_and_doubles_none(
    kafka, put, read_all, make_scorer, models, store, live, expected, tmp_path
):
    put(kafka, usage_messages(live))
    hung = tmp_path / "hung"
    command = (sys.executable, "-c", HANGING_SCORER, kafka.bootstrap, models, hung)
    child = subprocess.Popen(command)
    try:
        deadline = time.monotonic() + FOREVER
        while not hung.exists():
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        child.kill()
    assert child.wait() == -signal.SIGKILL
    assert scoring_lag(kafka) == HOURS - 100
    sent = len(read_all(kafka, ANOMALY, isolation="read_uncommitted"))
    assert sent > len(read_all(kafka, ANOMALY))

    result = tick(make_scorer(kafka), store)
    assert (result.events, result.lag, scoring_lag(kafka)) == (HOURS - 100, 0, 0)
    assert_told_once(kafka, read_all, expected)


def test_of_two_scorers_the_older_one_can_commit_nothing_more(
    kafka, put, read_all, make_scorer, store, live, expected
):
    messages = usage_messages(live)
    put(kafka, messages[:100])
    older = make_scorer(kafka)
    tick(older, store)
    newer = make_scorer(kafka)
    put(kafka, messages[100:])
    with pytest.raises(KafkaException):
        tick(older, store)
    assert tick(newer, store).events == HOURS - 100
    assert_told_once(kafka, read_all, expected)


def test_what_the_older_scorer_told_last_is_known_to_the_newer_one(
    kafka, put, read_all, make_scorer, store, live, expected, monkeypatch
):
    put(kafka, usage_messages(live))
    older = make_scorer(kafka)

    class LetsTheOlderOneFinish(Producer):
        def init_transactions(self, timeout):
            tick(older, store)
            super().init_transactions(timeout)

    monkeypatch.setattr(scoring, "Producer", LetsTheOlderOneFinish)
    newer = make_scorer(kafka)
    put(kafka, usage_messages(live))
    assert tick(newer, store).repeated == len(expected)
    assert_told_once(kafka, read_all, expected)


def test_events_that_are_no_readings_go_to_the_dead_letters_as_they_came(
    kafka, put, read_all, make_scorer, store, live, expected
):
    bad = [b"{", b"\xff", b"[]", b'{"ts": "2024-02-05T05:00:00Z"}', b"", None]
    good = usage_messages(live)
    put(kafka, [*good[:100], *bad, *good[100:]], key=b"a")
    result = tick(make_scorer(kafka), store)
    assert (result.events, result.scored, result.rejected) == (HOURS + 6, HOURS, 6)
    letters = read_all(kafka, DEAD_LETTERS)
    assert [m.value() for m in letters] == bad
    assert {m.key() for m in letters} == {b"a"}
    assert_told_once(kafka, read_all, expected)


def test_readings_that_no_model_judges_are_counted_and_passed_over(
    kafka, put, read_all, make_scorer, store
):
    early = readings(JUDGED - pd.Timedelta(hours=5), 5, seed=3)
    unknown = readings(JUDGED, 2, seed=3).assign(meter="unknown")
    put(kafka, [*usage_messages(early), *usage_messages(unknown)])
    result = tick(make_scorer(kafka), store)
    assert (result.events, result.scored, result.learning, result.lag) == (7, 0, 7, 0)
    assert read_all(kafka, ANOMALY) == []


def test_partitions_that_are_added_are_scored_too(
    kafka, put, read_all, make_scorer, store, live, expected
):
    from confluent_kafka.admin import AdminClient
    from confluent_kafka.cimpl import NewPartitions

    messages = usage_messages(live)
    put(kafka, messages[:100])
    scorer = make_scorer(kafka)
    assert tick(scorer, store).events == 100
    admin = AdminClient(kafka.client())
    admin.create_partitions([NewPartitions(USAGE, 3)])[USAGE].result()
    deadline = time.monotonic() + FOREVER
    while len(admin.list_topics(USAGE, timeout=30).topics[USAGE].partitions) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    put(kafka, [(1 + n % 2, message) for n, message in enumerate(messages[100:])])
    result = tick(scorer, store)
    assert (result.events, result.lag) == (HOURS - 100, 0)
    assert_told_once(kafka, read_all, expected)


def test_the_lag_before_any_scorer_is_all_that_waits(fresh_topics, put):
    kafka = fresh_topics(partitions=2)
    assert scoring_lag(kafka) == 0
    put(kafka, [(0, b"x"), (1, b"y"), (1, b"z")])
    assert scoring_lag(kafka) == 3


def test_a_tick_that_does_not_listen_ends_though_events_keep_coming(
    kafka, put, make_scorer, store, live, monkeypatch
):
    put(kafka, usage_messages(live[:20]), key=b"a")
    scorer = make_scorer(kafka)
    score = scorer._score

    def score_while_another_comes(*batch):
        score(*batch)
        put(kafka, usage_messages(live[20:21]), key=b"a")

    monkeypatch.setattr(scorer, "_score", score_while_another_comes)
    result = scorer.tick(store.manifests(), REGISTRY, FOREVER, listen=False)
    assert result.events >= 20
    assert result.lag >= 1
