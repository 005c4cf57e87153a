"""A platform for sensors to look at: its files are real, its services are stood in for."""

from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace

import dagster as dg
import pandas as pd
import pytest
from dagster._core.storage.schedules import SqliteScheduleStorage

from usage_platform.adapters.kafka.topics import ANOMALY, USAGE
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY
from usage_platform.core.detector.manifest import Manifest, Model
from usage_platform.core.detector.schedule import judges_from
from usage_platform.core.readings.hourly import hourly_from_readings
from usage_platform.core.readings.source import SourceReadings
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.defs import idle_ticks, sensors
from usage_platform.services import playback_plan, score_tick
from usage_platform.services.progress import Lag
from usage_platform.settings.settings import Settings
from usage_platform.wiring.platform import Platform as WiredPlatform
from usage_platform_tests.core.detector.made_manifest import manifest
from usage_platform_tests.repository import ROOT

START = pd.Timestamp("2024-03-05T05:00:00Z")


class Platform:
    """The platform on a fresh data folder: settings, files and tables are real, Kafka is not."""

    def __init__(self, tmp_path, **settings):
        chosen = {"data": tmp_path, "kafka_bootstrap": "b:1", **settings}
        self.deployment = WiredPlatform(Settings.from_env({}, **chosen))

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
            self.deployment.playback_plan().identity.version,
            SourceReadings(frame, (), (), 0),
            self.deployment.settings.default_meter,
        )
        return frame

    def keep_model(self, until: str, promoted: bool = True) -> Manifest:
        """Store a model that knows no meter, of a history that ends before a local day."""
        day, zone = date.fromisoformat(until), self.deployment.settings.timezone
        made = manifest(
            until,
            judges_from(day, zone),
            method="forest",
            window_end=local_day_bounds(day, zone)[0].isoformat(),
            meters=0,
            slots_trained=0,
            slots_thin=0,
            false_alarms_per_week=0.5,
        )
        self.deployment.models.save(Model(made, {}))
        self.deployment.models.promote([until] if promoted else [])
        return made


@pytest.fixture
def instance(tmp_path) -> Iterator[dg.DagsterInstance]:
    """An ephemeral one that also knows which sensors were stopped."""
    with dg.DagsterInstance.ephemeral() as found:
        found._schedule_storage = SqliteScheduleStorage.from_local(str(tmp_path / "schedules"))
        found._schedule_storage.register_instance(found)
        yield found


@pytest.fixture
def on_disk(tmp_path_factory) -> Iterator[dg.DagsterInstance]:
    """An instance as the platform has it, whose runs are in files: schedules ask no other."""
    home = tmp_path_factory.mktemp("dagster")
    text = (ROOT / "dagster.yaml").read_text("utf-8")
    (home / "dagster.yaml").write_text(text.replace(".usage/", f"{home}/"), "utf-8")
    with dg.DagsterInstance.from_config(str(home)) as found:
        yield found


@pytest.fixture
def look(instance, monkeypatch):
    """Evaluate a sensor once, without a rest."""
    monkeypatch.setattr(idle_ticks, "REST_SECONDS", 0)

    def evaluate(sensor, platform):
        context = dg.build_sensor_context(
            instance=instance, resources={"platform": platform}, sensor_name=sensor.name
        )
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


@pytest.fixture
def topics(monkeypatch):
    """What Kafka would say: the last reading of each meter, and how many events wait."""
    said = SimpleNamespace(last={}, lag={USAGE: 0, ANOMALY: 0}, error=None)

    def answer(value):
        if said.error:
            raise said.error
        return value()

    monkeypatch.setattr(sensors, "ensure_topics", lambda kafka: answer(lambda: None))
    monkeypatch.setattr(
        playback_plan,
        "remembered",
        lambda records, kafka, source: answer(lambda: dict(said.last)),
    )
    monkeypatch.setattr(
        score_tick,
        "lag_of_scoring",
        lambda kafka, registry: answer(lambda: Lag(5, pd.Timedelta(minutes=25))),
    )
    monkeypatch.setattr(
        sensors, "awaited_backlog", lambda lake, kafka, seconds: answer(lambda: dict(said.lag))
    )
    return said


def dated(frame, column):
    return frame.assign(event_date=frame[column].dt.date)


@pytest.fixture
def fill(platform, lake, write_table):
    """Write `readings`, and `usage_hourly` as they say it, or as it is damaged."""

    def write(rows, damage=lambda hours: hours):
        write_table(lake, READINGS, dated(rows, "event_time"))
        hours = hourly_from_readings(rows, platform.deployment.registry())
        write_table(lake, USAGE_HOURLY, dated(damage(hours), "start"))

    return write


def skipped(result) -> str:
    assert isinstance(result, dg.SkipReason)
    assert result.skip_message
    return result.skip_message
