"""What the sensors of live meters decide; the collector and the averager are stood in for."""

from collections import Counter
from types import SimpleNamespace
from typing import ClassVar

import dagster as dg
import pandas as pd
import pytest

from usage_platform.adapters.mqtt.subscription import SubscriptionError
from usage_platform.defs import sample_assets, sample_sensors
from usage_platform.services.average_samples import AveragerFencedError
from usage_platform.services.collect_samples import Collected
from usage_platform.services.kept_client import KeptClient
from usage_platform.services.sample_result import SampleTick
from usage_platform_tests.defs.conftest import Platform, skipped

pytestmark = pytest.mark.usefixtures("topics")

MQTT = {"collect_mqtt_url": "mqtt://broker", "collect_mqtt_topic": "tele/+/SENSOR"}
DESCRIBED = """
meters:
- name: plug
  samples: {path: $.ENERGY.Total, quantity: register, unit: kWh}
"""
BUSY = SampleTick(12, 3, Counter(no_value=2), ["samples partition 0 offset 7: no_value: x"])


class FakeAverager:
    """Says what it is to say."""

    made: ClassVar[list["FakeAverager"]] = []
    answer: ClassVar[SampleTick | Exception] = BUSY

    def __init__(self, kafka, reader):
        self.asked, self.closed = [], False
        self.made.append(self)

    def tick(self, descriptions, registry, seconds):
        self.asked.append((set(descriptions), seconds))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self):
        self.closed = True


@pytest.fixture
def averagers(monkeypatch):
    monkeypatch.setattr(sample_sensors, "_averager", KeptClient(FakeAverager))
    monkeypatch.setattr(sample_sensors, "ensure_topics", lambda *_: None)
    monkeypatch.setattr(FakeAverager, "made", [])
    monkeypatch.setattr(FakeAverager, "answer", BUSY)
    return FakeAverager


def described(tmp_path) -> Platform:
    platform = Platform(tmp_path)
    platform.deployment.assets.write_text("meters.yaml", DESCRIBED)
    return platform


def test_the_collector_runs_once_and_only_where_a_broker_is_set(look, a_run, tmp_path):
    sensor = sample_sensors.collector_sensor
    assert "USAGE_COLLECT_MQTT_URL" in skipped(look(sensor, Platform(tmp_path)))
    assert isinstance(look(sensor, Platform(tmp_path, **MQTT)), dg.RunRequest)
    run_id = a_run("collecting", "STARTED")
    assert run_id[:8] in skipped(look(sensor, Platform(tmp_path, **MQTT)))


def test_without_a_meter_with_samples_nothing_is_consumed(look, averagers, tmp_path):
    assert "no meter has samples" in skipped(look(sample_sensors.sample_stream, Platform(tmp_path)))
    assert averagers.made == []


def test_a_tick_that_publishes_readings_is_a_materialization_of_usage(look, averagers, tmp_path):
    platform = described(tmp_path)
    for _ in range(2):
        result = look(sample_sensors.sample_stream, platform)
    [told] = result.asset_events
    assert told.asset_key == dg.AssetKey("usage")
    metadata = {name: value.value for name, value in told.metadata.items()}
    assert metadata["readings_from_samples"] == 3
    assert (metadata["samples"], metadata["rejected_samples"]) == (10, 2)
    [averager] = averagers.made
    assert [meters for meters, _ in averager.asked] == [{"plug"}] * 2
    assert all(seconds < 60 for _, seconds in averager.asked)


def test_a_mistake_in_the_descriptions_is_said_at_each_tick_and_samples_are_averaged_on(
    look, averagers, tmp_path, monkeypatch
):
    platform = described(tmp_path)
    platform.deployment.meters.read()
    platform.deployment.assets.write_text("meters.yaml", DESCRIBED.replace("kWh", "kwh"))
    monkeypatch.setattr(FakeAverager, "answer", SampleTick(newest=pd.NaT))
    said = skipped(look(sample_sensors.sample_stream, platform))
    assert "no new reading; the last descriptions of meters without a mistake apply: " in said
    assert [meters for meters, _ in averagers.made[0].asked] == [{"plug"}]


def test_an_averager_that_fails_is_replaced_at_the_next_tick(
    look, averagers, tmp_path, monkeypatch
):
    platform = described(tmp_path)
    monkeypatch.setattr(FakeAverager, "answer", AveragerFencedError())
    assert "another process averages" in skipped(look(sample_sensors.sample_stream, platform))
    monkeypatch.setattr(FakeAverager, "answer", SampleTick(newest=pd.NaT))
    assert "no new reading" in skipped(look(sample_sensors.sample_stream, platform))
    assert [one.closed for one in averagers.made] == [True, False]


def test_the_asset_collects_until_it_is_stopped_and_fails_in_one_line(tmp_path, monkeypatch):
    def run(is_over, report):
        report(Collected(5, 1, {"plug"}))
        if refusals:
            raise SubscriptionError(refusals[0])
        return Collected(7, 1, {"plug"})

    refusals = []
    monkeypatch.setattr(
        sample_assets, "collector", lambda deployment, state: SimpleNamespace(run=run)
    )
    platform = Platform(tmp_path, **MQTT)
    resources = {"platform": dg.ResourceDefinition.hardcoded_resource(platform)}
    done = dg.materialize([sample_assets.samples], resources=resources)
    reported = [
        m.metadata["samples"].value for m in done.asset_materializations_for_node("samples")
    ]
    assert reported == [5, 7]
    refusals.append("MQTT at broker:1883 refuses the connection: Not authorized")
    failed = dg.materialize([sample_assets.samples], resources=resources, raise_on_error=False)
    assert not failed.success
