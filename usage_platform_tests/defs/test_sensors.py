"""What each sensor decides, from what it sees; the services behind it are stood in for."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import ClassVar

import dagster as dg
import pandas as pd
import pytest
from confluent_kafka import KafkaError, KafkaException

from usage_platform.adapters.kafka_topics import (
    ANOMALY,
    USAGE,
    KafkaSettings,
    KafkaUnreachableError,
)
from usage_platform.adapters.scoring import TickResult
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.playback import to_play
from usage_platform.core.source_readings import SourceReadings
from usage_platform.defs import sensors
from usage_platform.deployment import Deployment
from usage_platform.settings import Settings

START = pd.Timestamp("2024-03-05T05:00:00Z")
DOWN = KafkaUnreachableError("Kafka at b:1 does not answer: start it")
IN_FLIGHT = ("NOT_STARTED", "STARTING", "STARTED", "CANCELING")
OVER = ("SUCCESS", "FAILURE", "CANCELED")


class Platform:
    """The platform on a fresh data folder: settings, files and tables are real, Kafka is not."""

    def __init__(self, tmp_path, **settings):
        chosen = {"data": tmp_path, "kafka_bootstrap": "b:1", **settings}
        self.deployment = Deployment(Settings.from_env({}, **chosen))

    def load(self, steps=10, meters=("a", "b")) -> pd.DataFrame:
        """Load a source: a reading of each meter every five minutes."""
        rows = [
            (meter, START + pd.Timedelta(minutes=5 * step), 1.0)
            for step in range(steps)
            for meter in meters
        ]
        frame = pd.DataFrame(rows, columns=["meter", "ts", "value"]).astype(
            {"ts": "datetime64[ns, UTC]"}
        )
        return self.keep(frame)

    def keep(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Let these be the loaded readings."""
        self.deployment.source_cache.save(
            self.deployment.source_label,
            SourceReadings(frame, (), (), 0),
            self.deployment.settings.default_meter,
        )
        return frame


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


@pytest.fixture
def look(instance):
    """Evaluate a sensor once."""

    def evaluate(sensor, platform):
        context = dg.build_sensor_context(instance=instance, resources={"platform": platform})
        return sensor(context)

    return evaluate


@pytest.fixture
def a_run(instance):
    """Put a run into the instance, as if a sensor had started it."""

    def make(job, status):
        run = dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus[status])
        instance.add_run(run)
        return run.run_id

    return make


@pytest.fixture(autouse=True)
def topics(monkeypatch):
    """What Kafka would say: the last reading of each meter, and how many events wait."""
    said = SimpleNamespace(last={}, lag={USAGE: 0, ANOMALY: 0}, error=None)

    def answer(value):
        if said.error:
            raise said.error
        return value()

    monkeypatch.setattr(sensors, "ensure_topics", lambda kafka: answer(lambda: None))
    monkeypatch.setattr(
        sensors,
        "last_played",
        lambda kafka, source, meters, registry: answer(
            lambda: {m: ts for m, ts in said.last.items() if m in meters}
        ),
    )
    monkeypatch.setattr(
        sensors, "ingestion_lag", lambda lake, kafka, topic: answer(lambda: said.lag[topic])
    )
    return said


def skipped(result) -> str:
    assert isinstance(result, dg.SkipReason)
    assert result.skip_message
    return result.skip_message


SENSORS_OF_JOBS = [
    (sensors.playback_sensor, "playback"),
    (sensors.micro_batch_sensor, "micro_batch"),
    (sensors.first_model_sensor, "retrain"),
]


@pytest.mark.parametrize(("sensor", "job"), SENSORS_OF_JOBS)
@pytest.mark.parametrize("status", IN_FLIGHT)
def test_a_sensor_starts_no_second_run_beside_one_in_flight(
    look, a_run, topics, tmp_path, sensor, job, status
):
    topics.lag[USAGE] = 5
    run_id = a_run(job, status)
    assert run_id[:8] in skipped(look(sensor, Platform(tmp_path)))


@pytest.mark.parametrize(("sensor", "job"), SENSORS_OF_JOBS)
def test_a_run_that_still_waits_in_the_queue_is_in_flight_too(
    look, instance, topics, tmp_path, monkeypatch, sensor, job
):
    def queued(filters, limit):
        wanted = dg.DagsterRunStatus.QUEUED in filters.statuses and filters.job_name == job
        return [SimpleNamespace(run_id="0123456789")][: int(wanted)]

    topics.lag[USAGE] = 5
    monkeypatch.setattr(instance, "get_runs", queued)
    assert "01234567" in skipped(look(sensor, Platform(tmp_path)))


@pytest.mark.parametrize("status", OVER)
def test_a_run_that_is_over_or_of_another_job_holds_none_back(
    look, a_run, topics, tmp_path, status
):
    topics.lag[USAGE] = 5
    a_run("playback", status)
    a_run("micro_batch", status)
    a_run("quality", "STARTED")
    for sensor in (sensors.playback_sensor, sensors.micro_batch_sensor):
        assert isinstance(look(sensor, Platform(tmp_path)), dg.RunRequest)


@pytest.mark.parametrize(("failures", "wait"), [(1, 10), (2, 20), (3, 40), (6, 300), (9, 300)])
def test_a_job_that_keeps_failing_waits_longer_each_time(
    look, instance, a_run, topics, tmp_path, monkeypatch, failures, wait
):
    topics.lag[USAGE] = 5
    platform = Platform(tmp_path)
    a_run("micro_batch", "SUCCESS")
    for _ in range(failures):
        run = instance.get_run_by_id(a_run("micro_batch", "STARTED"))
        instance.report_run_failed(run)
    assert "runs failed; the next one starts in" in skipped(
        look(sensors.micro_batch_sensor, platform)
    )
    ended = instance.get_run_records(limit=1)[0].end_time
    monkeypatch.setattr(sensors.time, "time", lambda: ended + wait - 1)
    assert skipped(look(sensors.micro_batch_sensor, platform)).endswith(" in 1 s")
    monkeypatch.setattr(sensors.time, "time", lambda: ended + wait)
    assert isinstance(look(sensors.micro_batch_sensor, platform), dg.RunRequest)


def test_a_run_that_succeeds_ends_the_waiting(look, instance, a_run, topics, tmp_path):
    topics.lag[USAGE] = 5
    instance.report_run_failed(instance.get_run_by_id(a_run("micro_batch", "STARTED")))
    a_run("micro_batch", "SUCCESS")
    assert isinstance(look(sensors.micro_batch_sensor, Platform(tmp_path)), dg.RunRequest)


@pytest.mark.parametrize(
    "sensor", [sensors.playback_sensor, sensors.micro_batch_sensor, sensors.anomaly_stream]
)
def test_a_broker_that_is_down_is_said_and_waited_for(look, topics, tmp_path, monkeypatch, sensor):
    topics.error = DOWN
    platform = Platform(tmp_path)
    monkeypatch.setattr(type(platform.deployment.models), "manifests", lambda store: ["a model"])
    assert str(DOWN) in skipped(look(sensor, platform))


def test_playback_starts_before_a_source_was_ever_loaded(look, tmp_path):
    assert isinstance(look(sensors.playback_sensor, Platform(tmp_path)), dg.RunRequest)


def test_playback_starts_again_until_every_meter_is_on_the_topic_to_its_end(look, topics, tmp_path):
    platform = Platform(tmp_path)
    last = platform.load().groupby("meter")["ts"].max().to_dict()
    for topics.last in ({}, {"a": last["a"]}, {**last, "b": last["b"] - pd.Timedelta(minutes=5)}):
        assert isinstance(look(sensors.playback_sensor, platform), dg.RunRequest)
    topics.last = {**last, "stranger": START}
    assert "exhausted" in skipped(look(sensors.playback_sensor, platform))


def test_playback_starts_for_a_source_other_than_the_one_that_was_loaded(look, topics, tmp_path):
    topics.last = Platform(tmp_path).load().groupby("meter")["ts"].max().to_dict()
    other = Platform(tmp_path, generated_seed=2)
    assert isinstance(look(sensors.playback_sensor, other), dg.RunRequest)


@pytest.mark.parametrize(
    "limits",
    [
        {"max_iterations": 7},
        {"start_date": "2024-03-05", "max_iterations": 7},
        {"start_date": "2024-03-06"},
        {"start_date": "2030-01-01"},
    ],
)
def test_a_playback_with_limits_is_exhausted_when_all_within_them_was_played(
    look, topics, tmp_path, limits
):
    platform = Platform(tmp_path, **limits)
    frame = platform.load(steps=300, meters=("a", "b"))
    # One meter ends before the others begin to be played.
    short = frame[(frame["meter"] == "a") | (frame["ts"] < START + pd.Timedelta(hours=1))]
    platform.keep(short.reset_index(drop=True))
    settings = platform.deployment.settings
    day = settings.start_date
    begin = None if day is None else pd.Timestamp(day, tz="America/New_York").tz_convert("UTC")
    played = to_play(short, begin, settings.max_iterations)
    if len(played):
        assert isinstance(look(sensors.playback_sensor, platform), dg.RunRequest)
        topics.last = played.iloc[:-1].groupby("meter")["ts"].max().to_dict()
        assert isinstance(look(sensors.playback_sensor, platform), dg.RunRequest)
    topics.last = played.groupby("meter")["ts"].max().to_dict()
    assert "exhausted" in skipped(look(sensors.playback_sensor, platform))


@pytest.mark.parametrize("topic", [USAGE, ANOMALY])
def test_a_micro_batch_starts_when_events_wait_on_either_topic(look, topics, tmp_path, topic):
    assert "nothing waits" in skipped(look(sensors.micro_batch_sensor, Platform(tmp_path)))
    topics.lag[topic] = 1
    request = look(sensors.micro_batch_sensor, Platform(tmp_path))
    assert isinstance(request, dg.RunRequest)
    # Dagster would never start a run again with the key of one that failed.
    assert request.run_key is None


@pytest.fixture
def span(monkeypatch):
    """Say how far the readings reach."""

    def say(first, last):
        found = None if first is None else (pd.Timestamp(first), pd.Timestamp(last))
        monkeypatch.setattr(sensors, "history_span", lambda reader: found)

    return say


def test_the_first_model_waits_for_readings_and_for_enough_days_of_them(look, span, tmp_path):
    platform = Platform(tmp_path)
    span(None, None)
    assert "no readings yet" in skipped(look(sensors.first_model_sensor, platform))
    span("2024-03-01T05:00:00Z", "2024-03-20T12:00:00Z")
    assert "9 more days" in skipped(look(sensors.first_model_sensor, platform))
    # 04:00 UTC on the 29th begins the day in Boston, which has changed its clocks by then.
    span("2024-03-01T05:00:00Z", "2024-03-29T03:55:00Z")
    assert "1 more days" in skipped(look(sensors.first_model_sensor, platform))


def test_the_first_model_learns_from_the_oldest_days_only(look, span, tmp_path):
    span("2024-03-01T05:00:00Z", "2024-06-01T12:00:00Z")
    request = look(sensors.first_model_sensor, Platform(tmp_path, first_model_days=35))
    assert request.run_config == {"ops": {"slot_forests": {"config": {"until": "2024-04-05"}}}}


def test_where_there_is_a_model_the_schedule_trains_the_next(look, span, tmp_path, monkeypatch):
    span("2024-03-01T05:00:00Z", "2024-06-01T12:00:00Z")
    platform = Platform(tmp_path)
    monkeypatch.setattr(type(platform.deployment.models), "manifests", lambda store: ["a model"])
    assert "there is a model" in skipped(look(sensors.first_model_sensor, platform))


class FakeScorer:
    """A scorer that does as it is told and remembers what became of it."""

    made: ClassVar[list["FakeScorer"]] = []
    result: ClassVar[TickResult] = TickResult()
    error: ClassVar[Exception | None] = None

    def __init__(self, kafka, store):
        self.kafka, self.ticks, self.closed = kafka, [], False
        FakeScorer.made.append(self)

    def tick(self, manifests, registry, seconds):
        assert isinstance(registry, MeterRegistry)
        self.ticks.append((manifests, seconds))
        if FakeScorer.error:
            raise FakeScorer.error
        return FakeScorer.result

    def close(self):
        self.closed = True


@pytest.fixture
def scorers(monkeypatch):
    """The scorers made in a test; none is left over from another one."""
    monkeypatch.setattr(sensors, "Scorer", FakeScorer)
    monkeypatch.setattr(sensors, "_warm_scorer", sensors._WarmScorer())
    monkeypatch.setattr(FakeScorer, "made", [])
    monkeypatch.setattr(FakeScorer, "error", None)
    monkeypatch.setattr(FakeScorer, "result", TickResult())
    return FakeScorer


@pytest.fixture
def with_model(tmp_path, monkeypatch) -> Platform:
    platform = Platform(tmp_path)
    monkeypatch.setattr(type(platform.deployment.models), "manifests", lambda store: ["a model"])
    return platform


def test_without_a_model_nothing_is_consumed(look, scorers, tmp_path):
    assert "no model yet" in skipped(look(sensors.anomaly_stream, Platform(tmp_path)))
    assert scorers.made == []


def test_a_tick_that_read_events_reports_them_as_one_materialization(look, scorers, with_model):
    scorers.result = TickResult(
        events=10, scored=7, learning=1, thin=1, rejected=1, anomalies=2, lag=3, versions={"v2"}
    )
    result = look(sensors.anomaly_stream, with_model)
    (event,) = result.asset_events
    assert event.asset_key == dg.AssetKey("anomaly")
    told = {key: value.value for key, value in event.metadata.items()}
    assert told["scored"] == 7
    assert told["lag_events"] == 3
    assert told["anomalies"] == 2
    assert told["model_versions"] == "v2"


def test_a_tick_that_read_nothing_reports_nothing(look, scorers, with_model):
    assert skipped(look(sensors.anomaly_stream, with_model)) == "no new events"


def test_ticks_share_one_scorer_and_stay_well_below_dagsters_minute(look, scorers, with_model):
    for _ in range(3):
        look(sensors.anomaly_stream, with_model)
    (scorer,) = scorers.made
    assert len(scorer.ticks) == 3
    assert all(seconds <= 30 for _, seconds in scorer.ticks)


def test_after_a_failure_the_next_tick_begins_with_a_new_scorer(look, scorers, with_model):
    scorers.error = KafkaException(KafkaError(KafkaError._FENCED))
    assert "nothing is lost or doubled" in skipped(look(sensors.anomaly_stream, with_model))
    scorers.error = None
    look(sensors.anomaly_stream, with_model)
    assert [scorer.closed for scorer in scorers.made] == [True, False]


def test_a_broker_at_another_address_gets_a_scorer_of_its_own(
    look, scorers, with_model, monkeypatch
):
    look(sensors.anomaly_stream, with_model)
    moved = KafkaSettings("b:2")
    monkeypatch.setattr(Deployment, "kafka", property(lambda deployment: moved))
    look(sensors.anomaly_stream, with_model)
    assert [scorer.kafka.bootstrap for scorer in scorers.made] == ["b:1", "b:2"]


def test_a_tick_beside_one_that_is_still_at_work_leaves_the_scorer_alone(
    look, scorers, with_model, monkeypatch
):
    at_work, go_on = threading.Event(), threading.Event()

    def slow_tick(scorer, manifests, registry, seconds):
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
