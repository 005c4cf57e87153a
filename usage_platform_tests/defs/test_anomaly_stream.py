"""What the sensor `anomaly_stream` does in a tick, and what becomes of its scorer."""

import threading
from typing import ClassVar

import dagster as dg
import pandas as pd
import pytest
from confluent_kafka import KafkaError, KafkaException

from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.adapters.processes.pool import processors
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.feedback.labels import Verdict
from usage_platform.core.meters import MeterRegistry
from usage_platform.defs import sensors
from usage_platform.services import score_tick
from usage_platform.services.kept_client import KeptClient
from usage_platform.services.score_fencing import ScorerFencedError
from usage_platform.services.score_result import TickResult
from usage_platform.wiring.platform import Platform as WiredPlatform
from usage_platform_tests.defs.conftest import Platform, skipped

pytestmark = pytest.mark.usefixtures("topics")


class FakeScorer:
    """A scorer that does as it is told and remembers what became of it."""

    made: ClassVar[list["FakeScorer"]] = []
    result: ClassVar[TickResult] = TickResult()
    error: ClassVar[Exception | None] = None

    def __init__(self, kafka, reader, most=1):
        self.kafka, self.reader, self.ticks, self.closed = kafka, reader, [], False
        self.most = most
        FakeScorer.made.append(self)

    def tick(self, request):
        assert isinstance(request.registry, MeterRegistry)
        self.ticks.append(request)
        if FakeScorer.error:
            raise FakeScorer.error
        return FakeScorer.result

    def close(self):
        self.closed = True


@pytest.fixture
def scorers(monkeypatch):
    """The scorers made in a test; none is left over from another one."""
    monkeypatch.setattr(score_tick, "Scorer", FakeScorer)
    monkeypatch.setattr(sensors, "_warm_scorers", KeptClient(FakeScorer))
    monkeypatch.setattr(FakeScorer, "made", [])
    monkeypatch.setattr(FakeScorer, "error", None)
    monkeypatch.setattr(FakeScorer, "result", TickResult())
    return FakeScorer


@pytest.fixture
def with_model(tmp_path) -> Platform:
    """A platform with a model in force that judges from Tuesday, 2024-03-05 on."""
    platform = Platform(tmp_path)
    platform.keep_model("2024-03-04")
    return platform


def test_without_a_model_nothing_is_consumed(look, scorers, tmp_path):
    assert "no model yet" in skipped(look(sensors.anomaly_stream, Platform(tmp_path)))
    assert scorers.made == []


def test_a_model_that_is_not_in_force_is_none(look, scorers, tmp_path):
    platform = Platform(tmp_path)
    platform.keep_model("2024-03-04", promoted=False)
    assert "no model yet" in skipped(look(sensors.anomaly_stream, platform))
    assert scorers.made == []


def test_a_tick_judges_by_the_models_in_force_and_by_what_people_said(look, scorers, with_model):
    with_model.keep_model("2024-03-11", promoted=False)
    begin = pd.Timestamp("2024-03-06T05:00:00Z")
    labels = with_model.deployment.labels
    labels.add("m", begin, begin + pd.Timedelta(hours=1), Verdict.PLANNED, "a fair")
    look(sensors.anomaly_stream, with_model)
    (tick,) = scorers.made[0].ticks
    assert isinstance(tick.timeline, ModelTimeline)
    assert [one.version for one in tick.timeline.manifests] == ["2024-03-04"]
    assert tick.timeline.load("2024-03-04").manifest == tick.timeline.manifests[0]
    assert tick.timeline.labels["note"].tolist() == ["a fair"]
    assert scorers.made[0].reader is with_model.deployment.reader


@pytest.mark.parametrize("promoted", [True, False])
def test_readings_of_the_past_wait_for_the_week_that_no_model_was_trained_for(
    look, scorers, with_model, promoted
):
    """One that was trained and is not in force is not waited for: the one before judges on."""
    look(sensors.anomaly_stream, with_model)
    with_model.keep_model("2024-03-11", promoted=promoted)
    look(sensors.anomaly_stream, with_model)
    first, second = scorers.made[0].ticks
    # A week has an hour less where the clocks change.
    assert first.horizon == pd.Timestamp("2024-03-12T04:00:00Z")
    assert second.horizon == pd.Timestamp("2024-03-19T04:00:00Z")
    assert first.listen


def test_a_tick_that_only_meets_readings_that_wait_says_for_what(look, scorers, with_model):
    scorers.result = TickResult(waits_for=pd.Timestamp("2024-03-12T04:00:00Z"), lag=5)
    assert skipped(look(sensors.anomaly_stream, with_model)) == (
        "the readings from 2024-03-12 on wait for a model of their time"
    )


def test_a_tick_that_read_some_and_left_others_waiting_reports_both(look, scorers, with_model):
    waits_for = pd.Timestamp("2024-03-12T04:00:00Z")
    scorers.result = TickResult(events=1, scored=1, waits_for=waits_for, lag=5)
    (event,) = look(sensors.anomaly_stream, with_model).asset_events
    assert event.metadata["waits_for_a_model_from"].value == "2024-03-12 04:00Z"
    assert event.metadata["lag_events"].value == 5
    assert event.metadata["lag_event_minutes"].value == 25


def test_a_tick_that_read_events_reports_them_as_one_materialization(look, scorers, with_model):
    scorers.result = TickResult(
        events=10,
        scored=7,
        learning=2,
        rejected=1,
        anomalies=2,
        withdrawn=1,
        episodes=4,
        lag=3,
        seconds=1.234,
        offsets={0: 7, 1: 3},
        versions={"v2"},
    )
    result = look(sensors.anomaly_stream, with_model)
    (event,) = result.asset_events
    assert event.asset_key == dg.AssetKey("anomaly")
    told = {key: value.value for key, value in event.metadata.items()}
    assert told["scored"] == 7
    assert told["lag_events"] == 3
    assert (told["seconds"], told["offsets"]) == (1.23, {"0": 7, "1": 3})
    assert (told["anomalies"], told["withdrawn"], told["episode_messages"]) == (2, 1, 4)
    assert told["waits_for_a_model_from"] == "-"
    assert told["model_versions"] == "v2"


def test_a_tick_that_read_nothing_reports_nothing(look, scorers, with_model):
    assert skipped(look(sensors.anomaly_stream, with_model)) == "no new events"


def test_a_tick_that_only_found_silent_meters_says_how_many(look, scorers, with_model):
    scorers.result = TickResult(silent=2_001)
    said = skipped(look(sensors.anomaly_stream, with_model))
    assert said == "no new events; 2,001 meters have become silent"
    ((tick,),) = (scorer.ticks for scorer in scorers.made)
    assert tick.silence.least == pd.Timedelta(minutes=15)
    assert tick.silence.played_to() == {}


def test_a_mistake_in_the_descriptions_is_said_at_each_tick_and_readings_are_scored_on(
    look, scorers, with_model
):
    assets = with_model.deployment.assets
    assets.write_text("meters.yaml", "meters: [{name: roof, interval: 15}]")
    with_model.deployment.meters.read()
    assets.write_text("meters.yaml", "meters: [{name: roof, interval: 7}]")
    said = skipped(look(sensors.anomaly_stream, with_model))
    assert said.startswith("no new events; the last descriptions of meters without a mistake apply")
    assert "meter roof: interval: expected minutes" in said
    ((tick,),) = (scorer.ticks for scorer in scorers.made)
    assert tick.registry.get("roof").interval_minutes == 15


def test_a_tick_that_says_why_a_scorer_failed_reports_that_with_events_or_without(
    look, scorers, with_model
):
    scorers.result = TickResult(events=1, notice="scorer 2 of 4 begins again")
    (event,) = look(sensors.anomaly_stream, with_model).asset_events
    assert event.metadata["notice"].value == "scorer 2 of 4 begins again"
    scorers.result = TickResult(notice="scorer 2 of 4 begins again")
    assert skipped(look(sensors.anomaly_stream, with_model)) == "scorer 2 of 4 begins again"


def test_there_are_as_many_scorers_as_the_setting_says_or_as_processors(look, scorers, tmp_path):
    for number, settings in enumerate(({"scorers": 7}, {})):
        platform = Platform(tmp_path / str(number), **settings)
        platform.keep_model("2024-03-04")
        look(sensors.anomaly_stream, platform)
    assert [one.most for one in scorers.made] == [7, processors()]


def test_ticks_share_one_scorer_and_stay_well_below_dagsters_minute(look, scorers, with_model):
    for _ in range(3):
        look(sensors.anomaly_stream, with_model)
    (scorer,) = scorers.made
    assert len(scorer.ticks) == 3
    assert all(tick.seconds <= 45 for tick in scorer.ticks)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KafkaException(KafkaError(KafkaError._TIMED_OUT)), "nothing is lost or doubled"),
        (ScorerFencedError(), "another scorer has taken over"),
    ],
)
def test_after_a_failure_the_next_tick_begins_with_a_new_scorer(
    look, scorers, with_model, error, said
):
    scorers.error = error
    assert said in skipped(look(sensors.anomaly_stream, with_model))
    scorers.error = None
    look(sensors.anomaly_stream, with_model)
    assert [scorer.closed for scorer in scorers.made] == [True, False]


def test_a_broker_at_another_address_gets_a_scorer_of_its_own(
    look, scorers, with_model, monkeypatch
):
    look(sensors.anomaly_stream, with_model)
    moved = KafkaSettings("b:2")
    monkeypatch.setattr(WiredPlatform, "kafka", property(lambda deployment: moved))
    look(sensors.anomaly_stream, with_model)
    assert [scorer.kafka.bootstrap for scorer in scorers.made] == ["b:1", "b:2"]


def test_a_tick_beside_one_that_is_still_at_work_leaves_the_scorer_alone(
    look, scorers, with_model, monkeypatch
):
    at_work, go_on = threading.Event(), threading.Event()

    def slow_tick(scorer, request):
        at_work.set()
        assert go_on.wait(60)
        return TickResult(events=1)

    monkeypatch.setattr(scorers, "tick", slow_tick)
    results = []
    first = threading.Thread(
        target=lambda: results.append(look(sensors.anomaly_stream, with_model))
    )
    first.start()
    assert at_work.wait(60)
    assert "the tick before still waits" in skipped(look(sensors.anomaly_stream, with_model))
    go_on.set()
    first.join()
    assert results[0].asset_events
    assert [scorer.closed for scorer in scorers.made] == [False]
    assert look(sensors.anomaly_stream, with_model).asset_events
