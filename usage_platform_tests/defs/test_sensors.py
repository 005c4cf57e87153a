"""What the sensors of playback and micro-batch decide, and what holds of all that start runs."""

import time
from types import SimpleNamespace

import dagster as dg
import pandas as pd
import pytest
import yaml
from confluent_kafka import KafkaError, KafkaException
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._grpc.utils import default_sensor_grpc_timeout

from usage_platform.adapters.kafka.topics import ANOMALY, USAGE, KafkaUnreachableError
from usage_platform.core.readings.pacing import to_play
from usage_platform.definitions import defs
from usage_platform.defs import sensors
from usage_platform.local.code_server import THREADS
from usage_platform_tests.defs.conftest import START, Platform, skipped
from usage_platform_tests.repository import ROOT

pytestmark = pytest.mark.usefixtures("topics")

DOWN = KafkaUnreachableError("Kafka at b:1 does not answer: start it")
IN_FLIGHT = ("NOT_STARTED", "STARTING", "STARTED", "CANCELING")
OVER = ("SUCCESS", "FAILURE", "CANCELED")
SENSORS_OF_JOBS = [
    (sensors.playback_sensor, "playback"),
    (sensors.micro_batch_sensor, "micro_batch"),
    (sensors.model_sensor, "retrain"),
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


def test_after_the_clock_was_set_back_by_a_day_no_job_waits_for_a_day(
    look, instance, a_run, topics, tmp_path, monkeypatch
):
    topics.lag[USAGE] = 5
    instance.report_run_failed(instance.get_run_by_id(a_run("micro_batch", "STARTED")))
    ended = instance.get_run_records(limit=1)[0].end_time
    monkeypatch.setattr(sensors.time, "time", lambda: ended - 86_400)
    assert isinstance(look(sensors.micro_batch_sensor, Platform(tmp_path)), dg.RunRequest)


def test_a_run_that_succeeds_ends_the_waiting(look, instance, a_run, topics, tmp_path):
    topics.lag[USAGE] = 5
    instance.report_run_failed(instance.get_run_by_id(a_run("micro_batch", "STARTED")))
    a_run("micro_batch", "SUCCESS")
    assert isinstance(look(sensors.micro_batch_sensor, Platform(tmp_path)), dg.RunRequest)


@pytest.mark.parametrize(("lived", "decision"), [(29, dg.SkipReason), (31, dg.RunRequest)])
def test_a_playback_that_had_been_playing_is_no_failed_start(
    look, instance, tmp_path, monkeypatch, lived, decision
):
    now = time.time()
    failed = SimpleNamespace(
        dagster_run=SimpleNamespace(status=dg.DagsterRunStatus.FAILURE),
        start_time=now - lived,
        end_time=now,
    )
    monkeypatch.setattr(instance, "get_run_records", lambda filters, limit: [failed] * limit)
    assert isinstance(look(sensors.playback_sensor, Platform(tmp_path)), decision)


@pytest.mark.parametrize(
    "sensor", [sensors.playback_sensor, sensors.micro_batch_sensor, sensors.anomaly_stream]
)
def test_a_broker_that_is_down_is_said_and_waited_for(look, topics, tmp_path, sensor):
    topics.error = DOWN
    platform = Platform(tmp_path)
    platform.keep_model("2024-03-05")
    assert str(DOWN) in skipped(look(sensor, platform))


@pytest.mark.parametrize("sensor", [sensors.playback_sensor, sensors.micro_batch_sensor])
def test_what_kafka_refuses_is_said_in_words_and_waited_for(look, topics, tmp_path, sensor):
    topics.error = KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED, "no right"))
    platform = Platform(tmp_path)
    platform.load()
    assert skipped(look(sensor, platform)) == "Kafka: no right"


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
    config = {"streams_into_lake": {"config": {"continuous": True}}}
    assert request.run_config == {"ops": config}
    # Dagster would never start a run again with the key of one that failed.
    assert request.run_key is None


@pytest.mark.parametrize("status", IN_FLIGHT)
def test_a_run_that_began_while_the_sensor_waited_is_not_doubled(
    look, a_run, topics, tmp_path, monkeypatch, status
):
    begun = []

    def awaited(lake, kafka, seconds):
        begun.append(a_run("micro_batch", status))
        return {USAGE: 1, ANOMALY: 0}

    monkeypatch.setattr(sensors, "awaited_backlog", awaited)
    said = skipped(look(sensors.micro_batch_sensor, Platform(tmp_path)))
    assert begun[0][:8] in said


def test_a_sensor_that_was_stopped_while_it_waited_starts_nothing(
    look, instance, topics, tmp_path, monkeypatch
):
    def stop(name):
        code = RemoteRepositoryOrigin(
            InProcessCodeLocationOrigin(LoadableTargetOrigin(), location_name="l"), "r"
        )
        origin = RemoteInstigatorOrigin(code, name)
        stopped = InstigatorStatus.STOPPED
        instance.add_instigator_state(InstigatorState(origin, InstigatorType.SENSOR, stopped))

    def awaited(lake, kafka, seconds):
        stop(names.pop())
        return {USAGE: 1, ANOMALY: 0}

    names = ["micro_batch_sensor", "playback_sensor"]
    monkeypatch.setattr(sensors, "awaited_backlog", awaited)
    platform = Platform(tmp_path)
    assert isinstance(look(sensors.micro_batch_sensor, platform), dg.RunRequest)
    assert "was stopped" in skipped(look(sensors.micro_batch_sensor, platform))
    # One that is stopped can still be tried out.
    topics.lag[USAGE] = 1
    monkeypatch.setattr(sensors, "awaited_backlog", lambda lake, kafka, seconds: topics.lag)
    assert isinstance(look(sensors.micro_batch_sensor, platform), dg.RunRequest)


def test_a_tick_that_waits_ends_before_dagster_gives_it_up(look, topics, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        sensors, "awaited_backlog", lambda lake, kafka, seconds: asked.append(seconds) or topics.lag
    )
    look(sensors.micro_batch_sensor, Platform(tmp_path))
    # A second look at the topics comes after the wait.
    assert asked == [seconds for seconds in asked if seconds <= default_sensor_grpc_timeout() - 20]


@pytest.mark.parametrize("file", ["dagster.yaml", "deploy/dagster.yaml"])
def test_no_tick_waits_for_a_thread_that_another_has(file):
    sensor_names = [one.name for one in defs.get_repository_def().sensor_defs]
    threads = yaml.safe_load((ROOT / file).read_text("utf-8"))["sensors"]["num_workers"]
    assert threads >= len(sensor_names)
    # The code server also carries out schedules, starts of runs and what pages ask.
    assert threads * 2 <= THREADS
