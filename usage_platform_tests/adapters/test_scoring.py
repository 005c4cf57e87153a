"""The scorer: each anomaly reaches the topic once, whatever dies when, and no event is lost."""

import json
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from confluent_kafka import Producer

from usage_platform.adapters import scoring
from usage_platform.adapters.kafka_topics import ANOMALY, DEAD_LETTERS, EPISODE, USAGE
from usage_platform.adapters.lake_files import LakeFiles
from usage_platform.adapters.lake_reader import LakeReader
from usage_platform.adapters.model_store import ModelStore
from usage_platform.adapters.scoring import Scorer, ScorerFencedError
from usage_platform.adapters.stream_progress import scoring_lag
from usage_platform.core.anomalies import (
    TOLD,
    WITHDRAWN,
    anomalies_from_messages,
    find_anomalies,
    no_anomalies,
)
from usage_platform.core.judging import Judges
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.model import model_version
from usage_platform.core.slot_forests import CUT, train_slot_forests
from usage_platform.core.stream_scoring import StreamMemory
from usage_platform.core.wire import usage_messages
from usage_platform_tests.core.made_models import model

METER = Meter("a", interval_minutes=60)
REGISTRY = MeterRegistry(METER)
HISTORY = pd.Timestamp("2024-01-01T05:00:00Z")
JUDGED = HISTORY + pd.Timedelta(weeks=5)
NEXT = JUDGED + pd.Timedelta(days=6)
"""From when the model after the first one judges."""
HOURS = 24 * 10
FOREVER = 120.0

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


def small_model(begin, seed):
    """Trained on five weeks of hours."""
    history = as_table(readings(HISTORY, 24 * 35, seed))
    forests = {METER.name: train_slot_forests(history, METER, lambda done, total: None)}
    return model(model_version(begin, forests), begin, forests)


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> str:
    """Where the models of these tests lie."""
    return str(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def store(models) -> ModelStore:
    """A store with two small models; the first one is in force."""
    found = ModelStore(LakeFiles(models))
    made = [small_model(JUDGED, seed=1), small_model(NEXT, seed=5)]
    found.add(made, [made[0].manifest.version])
    return found


@pytest.fixture(scope="module")
def judges(store) -> Judges:
    return Judges(store.manifests(), store.load)


@pytest.fixture(scope="module")
def live() -> pd.DataFrame:
    """Ten days to be judged."""
    return readings(JUDGED, HOURS, seed=2)


def told_in_one_go(frame, judges):
    """What is to be told of readings that come all at once, without Kafka."""
    told = StreamMemory(lambda *span: pytest.fail("nothing to look back at")).take(
        as_table(frame), judges, REGISTRY
    )
    found = find_anomalies(as_table(frame), judges, REGISTRY)
    pd.testing.assert_frame_equal(told.anomalies, found.anomalies)
    assert found.scored == len(frame)
    assert 20 < len(found.anomalies) < HOURS
    return SimpleNamespace(
        anomalies=found.anomalies, episodes=sorted(event.value for event in told.episodes)
    )


@pytest.fixture(scope="module")
def expected(live, judges) -> SimpleNamespace:
    return told_in_one_go(live, judges)


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


def tick(scorer, judges, seconds=FOREVER, listen=False, horizon=None):
    return scorer.tick(judges, REGISTRY, seconds, listen, horizon)


def told(kafka, read_all):
    return anomalies_from_messages([m.value() for m in read_all(kafka, ANOMALY)])


def standing(kafka, read_all):
    """The anomalies as their last messages say."""
    last = told(kafka, read_all).drop_duplicates("anomaly_id", keep="last")
    stands = last[last["status"] == TOLD]
    return stands.sort_values(["meter", "event_time"], ignore_index=True)


def assert_told_once(kafka, read_all, expected):
    pd.testing.assert_frame_equal(told(kafka, read_all), expected.anomalies)
    assert sorted(m.value() for m in read_all(kafka, EPISODE)) == expected.episodes


def test_odd_readings_are_told_with_their_meter_as_key_and_all_is_counted(
    kafka, put, read_all, make_scorer, judges, live, expected
):
    put(kafka, usage_messages(live), key=b"a")
    scorer = make_scorer(kafka)
    assert tick(scorer, judges, seconds=0).lag == scoring_lag(kafka) == HOURS
    result = tick(scorer, judges, listen=True)
    assert (result.events, result.scored, result.lag) == (HOURS, HOURS, 0)
    assert (result.learning, result.rejected, result.repeated, result.withdrawn) == (0, 0, 0, 0)
    assert result.anomalies == len(expected.anomalies)
    assert result.episodes == len(expected.episodes)
    assert result.waits_for is None
    assert result.newest == live["ts"].max()
    assert result.versions == {judges.manifests[0].version}
    assert scoring_lag(kafka) == 0
    assert_told_once(kafka, read_all, expected)
    message = read_all(kafka, ANOMALY)[0]
    event = json.loads(message.value())
    assert message.key() == b"a"
    # For people: the building's own time.
    assert event["ts"].endswith("-05:00")
    assert pd.Timestamp(event["ts"]) == expected.anomalies["event_time"][0]
    assert {m.key() for m in read_all(kafka, EPISODE)} == {b"a"}


def test_an_event_that_comes_again_is_not_told_again(
    kafka, put, read_all, make_scorer, judges, live, expected
):
    messages = usage_messages(live)
    put(kafka, [m for message in messages for m in (message, message)])
    first = make_scorer(kafka)
    assert tick(first, judges).anomalies == len(expected.anomalies)
    put(kafka, messages)
    again = tick(first, judges)
    put(kafka, messages)
    anew = tick(make_scorer(kafka), judges)
    for result in (again, anew):
        assert (result.events, result.anomalies, result.episodes) == (HOURS, 0, 0)
        assert (result.scored, result.repeated) == (0, 0)
    assert_told_once(kafka, read_all, expected)


def test_how_events_fall_into_batches_and_ticks_changes_no_anomaly(
    fresh_topics, put, read_all, make_scorer, judges, live, expected, monkeypatch
):
    kafka = fresh_topics(partitions=3)
    monkeypatch.setattr(scoring, "_BATCH", 37)
    spread = [(n % 3, message) for n, message in enumerate(usage_messages(live))]
    scorer = make_scorer(kafka)
    for part in (spread[:50], spread[50:51], spread[51:]):
        put(kafka, part)
        assert tick(scorer, judges).events == len(part)
    # Over several partitions readings come late: episodes may grow to the front and be told anew.
    assert told(kafka, read_all)["anomaly_id"].nunique() == len(expected.anomalies)
    pd.testing.assert_frame_equal(standing(kafka, read_all), expected.anomalies)


def test_of_two_scorers_the_older_one_can_commit_nothing_more_and_says_so(
    kafka, put, read_all, make_scorer, judges, live, expected
):
    messages = usage_messages(live)
    put(kafka, messages[:100])
    older = make_scorer(kafka)
    tick(older, judges)
    newer = make_scorer(kafka)
    put(kafka, messages[100:])
    with pytest.raises(ScorerFencedError, match=r"^another scorer has taken over[^\n]+$"):
        tick(older, judges)
    assert tick(newer, judges).events == HOURS - 100
    assert_told_once(kafka, read_all, expected)


def test_what_the_older_scorer_told_last_is_known_to_the_newer_one(
    kafka, put, read_all, make_scorer, judges, live, expected, monkeypatch
):
    put(kafka, usage_messages(live))
    older = make_scorer(kafka)

    class LetsTheOlderOneFinish(Producer):
        def init_transactions(self, timeout):
            tick(older, judges)
            super().init_transactions(timeout)

    monkeypatch.setattr(scoring, "Producer", LetsTheOlderOneFinish)
    newer = make_scorer(kafka)
    put(kafka, usage_messages(live))
    assert tick(newer, judges).anomalies == 0
    assert_told_once(kafka, read_all, expected)


def test_events_that_are_no_readings_go_to_the_dead_letters_as_they_came(
    kafka, put, read_all, make_scorer, judges, live, expected
):
    bad = [b"{", b"\xff", b"[]", b'{"ts": "2024-02-05T05:00:00Z"}', b"", None]
    good = usage_messages(live)
    put(kafka, [*good[:100], *bad, *good[100:]], key=b"a")
    result = tick(make_scorer(kafka), judges)
    assert (result.events, result.scored, result.rejected) == (HOURS + 6, HOURS, 6)
    letters = read_all(kafka, DEAD_LETTERS)
    assert [m.value() for m in letters] == bad
    assert {m.key() for m in letters} == {b"a"}
    assert_told_once(kafka, read_all, expected)


def test_readings_that_no_model_judges_are_counted_and_passed_over(
    kafka, put, read_all, make_scorer, judges
):
    early = readings(JUDGED - pd.Timedelta(hours=5), 5, seed=3)
    unknown = readings(JUDGED, 2, seed=3).assign(meter="unknown")
    put(kafka, [*usage_messages(early), *usage_messages(unknown)])
    result = tick(make_scorer(kafka), judges)
    assert (result.events, result.scored, result.learning, result.lag) == (7, 0, 7, 0)
    assert read_all(kafka, ANOMALY) == []


def test_partitions_that_are_added_are_scored_too(
    kafka, put, read_all, make_scorer, judges, live, expected
):
    from confluent_kafka.admin import AdminClient
    from confluent_kafka.cimpl import NewPartitions

    messages = usage_messages(live)
    put(kafka, messages[:100])
    scorer = make_scorer(kafka)
    assert tick(scorer, judges).events == 100
    admin = AdminClient(kafka.client())
    admin.create_partitions([NewPartitions(USAGE, 3)])[USAGE].result()
    deadline = time.monotonic() + FOREVER
    while len(admin.list_topics(USAGE, timeout=30).topics[USAGE].partitions) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    put(kafka, [(1 + n % 2, message) for n, message in enumerate(messages[100:])])
    result = tick(scorer, judges)
    assert (result.events, result.lag) == (HOURS - 100, 0)
    pd.testing.assert_frame_equal(standing(kafka, read_all), expected.anomalies)


def test_the_lag_before_any_scorer_is_all_that_waits(fresh_topics, put):
    kafka = fresh_topics(partitions=2)
    assert scoring_lag(kafka) == 0
    put(kafka, [(0, b"x"), (1, b"y"), (1, b"z")])
    assert scoring_lag(kafka) == 3


def test_a_tick_that_does_not_listen_ends_though_events_keep_coming(
    kafka, put, make_scorer, judges, live, monkeypatch
):
    put(kafka, usage_messages(live[:20]), key=b"a")
    scorer = make_scorer(kafka)
    score = scorer._score

    def score_while_another_comes(*batch):
        going_on = score(*batch)
        put(kafka, usage_messages(live[20:21]), key=b"a")
        return going_on

    monkeypatch.setattr(scorer, "_score", score_while_another_comes)
    result = tick(scorer, judges)
    assert result.events >= 20
    assert result.lag >= 1


def single(expected):
    """An anomaly that is an episode by itself."""
    rows = expected.anomalies
    alone = rows[rows.groupby("episode")["meter"].transform("size") == 1]
    return alone.iloc[len(alone) // 2]


def ordinary_value(judges, at):
    """A value that is nothing odd at that time."""
    forests = judges.load(judges.manifests[0].version).detectors[METER.name]
    values = np.linspace(100, 900, 801)
    scores = forests.score(pd.Series([at] * len(values)), values)["score"].to_numpy()
    return float(values[scores <= CUT][0])


def test_a_corrected_reading_is_told_under_the_same_id_and_withdrawn_when_it_is_odd_no_more(
    kafka, put, read_all, make_scorer, judges, live, expected
):
    put(kafka, usage_messages(live), key=b"a")
    scorer = make_scorer(kafka)
    tick(scorer, judges)
    row = single(expected)
    corrected = pd.DataFrame({"meter": ["a"], "ts": [row["event_time"]], "value": [9_999.0]})
    put(kafka, usage_messages(corrected), key=b"a")
    result = tick(scorer, judges)
    assert (result.events, result.anomalies, result.withdrawn) == (1, 1, 0)
    changed = told(kafka, read_all).iloc[-1]
    assert (changed["anomaly_id"], changed["status"]) == (row["anomaly_id"], TOLD)
    assert (changed["usage"], changed["episode"]) == (9_999.0, row["episode"])

    value = ordinary_value(judges, row["event_time"])
    put(kafka, usage_messages(corrected.assign(value=value)), key=b"a")
    # Another scorer knows just as well what was told.
    result = tick(make_scorer(kafka), judges)
    assert (result.events, result.anomalies, result.withdrawn, result.episodes) == (1, 0, 1, 1)
    gone = told(kafka, read_all).iloc[-1]
    assert (gone["anomaly_id"], gone["status"]) == (row["anomaly_id"], WITHDRAWN)
    episode = json.loads(read_all(kafka, EPISODE)[-1].value())
    assert (episode["episode"], episode["status"]) == (row["episode"], "withdrawn")
    others = expected.anomalies[expected.anomalies["anomaly_id"] != row["anomaly_id"]]
    pd.testing.assert_frame_equal(standing(kafka, read_all), others.reset_index(drop=True))


@pytest.fixture(scope="module")
def both(store) -> Judges:
    """The next model is there too."""
    return Judges(store.candidates(), store.load)


def test_readings_of_the_past_wait_for_the_model_of_their_time(
    kafka, put, read_all, make_scorer, judges, both, live
):
    messages = usage_messages(live)
    first = int((live["ts"] < NEXT).sum())
    # Everything comes twice: the first time must wait as well.
    put(kafka, [*messages, *messages], key=b"a")
    scorer = make_scorer(kafka)
    for events in (first, 0):
        result = tick(scorer, judges, horizon=NEXT)
        assert (result.events, result.lag) == (events, 2 * HOURS - first)
        assert result.waits_for == NEXT
    assert told(kafka, read_all)["event_time"].max() < NEXT
    result = tick(scorer, both, horizon=NEXT + pd.Timedelta(days=7))
    assert (result.events, result.lag, result.waits_for) == (2 * HOURS - first, 0, None)
    assert result.versions == {both.manifests[1].version}
    assert_told_once(kafka, read_all, told_in_one_go(live, both))


def test_a_partition_that_waits_for_a_model_does_not_hold_up_the_others(
    fresh_topics, put, read_all, make_scorer, judges, both, live
):
    kafka = fresh_topics(partitions=2)
    early = int((live["ts"] < NEXT).sum())
    late = usage_messages(live[early:])
    put(kafka, [(1, message) for message in late])
    put(kafka, [(0, message) for message in usage_messages(live[:early])])
    scorer = make_scorer(kafka)
    deadline = time.monotonic() + FOREVER
    while tick(scorer, judges, horizon=NEXT).lag > len(late):
        assert time.monotonic() < deadline
    assert tick(scorer, judges, horizon=NEXT).lag == len(late)
    assert tick(scorer, both).events == len(late)
    assert_told_once(kafka, read_all, told_in_one_go(live, both))


def test_live_readings_do_not_wait_for_the_model_of_their_time(kafka, put, make_scorer, judges):
    now = pd.Timestamp.now(tz="UTC").floor("h").as_unit("ns")
    put(kafka, usage_messages(readings(now - pd.Timedelta(hours=20), 21, seed=3)))
    result = tick(make_scorer(kafka), judges, horizon=NEXT)
    assert (result.events, result.scored, result.lag, result.waits_for) == (21, 21, 0, None)


def test_what_is_no_reading_does_not_wait_for_a_model(
    kafka, put, read_all, make_scorer, judges, live
):
    first = int((live["ts"] < NEXT).sum())
    good = usage_messages(live)
    put(kafka, [*good[:first], b"{", *good[first:], b"["], key=b"a")
    result = tick(make_scorer(kafka), judges, horizon=NEXT)
    assert (result.events, result.rejected, result.lag) == (first + 1, 1, HOURS - first + 1)
    assert [m.value() for m in read_all(kafka, DEAD_LETTERS)] == [b"{"]


def test_before_any_model_readings_are_counted_as_learning(
    kafka, put, read_all, make_scorer, store, live
):
    put(kafka, usage_messages(live))
    result = tick(make_scorer(kafka), Judges([], store.load))
    assert (result.events, result.learning, result.scored, result.anomalies) == (HOURS, HOURS, 0, 0)
    pd.testing.assert_frame_equal(told(kafka, read_all), no_anomalies())
