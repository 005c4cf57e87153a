"""When the sensor `model_sensor` lets models be trained, by the readings and models there are."""

import dagster as dg
import pandas as pd
import pytest

from usage_platform.adapters.lake.tables import READINGS
from usage_platform.defs import sensors
from usage_platform_tests.defs.conftest import Platform, skipped

pytestmark = pytest.mark.usefixtures("topics")


@pytest.fixture
def platform(tmp_path) -> Platform:
    return Platform(tmp_path)


@pytest.fixture
def readings(platform, write_table):
    """Put readings at these instants into the lake."""

    def write(*instants):
        rows = pd.DataFrame({"event_time": [pd.Timestamp(text) for text in instants]})
        rows = rows.assign(meter="m", value=1.0, event_date=rows["event_time"].dt.date)
        write_table(platform.deployment.lake, READINGS, rows)

    return write


def asked_for(result) -> dict:
    assert isinstance(result, dg.RunRequest)
    # Dagster would never start a run again with the key of one that failed.
    assert result.run_key is None
    return result.run_config


def test_without_readings_nothing_is_trained(look, platform):
    assert "every model" in skipped(look(sensors.model_sensor, platform))


def test_the_first_reading_brings_the_first_model(look, platform, readings):
    readings("2024-03-05T05:00:00Z")
    due = {"ops": {"slot_forests": {"config": {"due": True}}}}
    assert asked_for(look(sensors.model_sensor, platform)) == due


def test_a_monday_of_the_buildings_own_time_brings_the_next_model(look, platform, readings):
    platform.keep_model("2024-03-04")
    # 04:00 UTC on the 11th begins the day in Boston, which has changed its clocks by then.
    readings("2024-03-05T05:00:00Z", "2024-03-11T03:55:00Z")
    assert "every model" in skipped(look(sensors.model_sensor, platform))
    readings("2024-03-11T04:00:00Z")
    assert asked_for(look(sensors.model_sensor, platform))
    platform.keep_model("2024-03-11")
    assert "every model" in skipped(look(sensors.model_sensor, platform))


def test_a_model_that_was_not_put_in_force_is_not_trained_again(look, platform, readings):
    readings("2024-03-05T05:00:00Z", "2024-03-12T05:00:00Z")
    platform.keep_model("2024-03-11", promoted=False)
    assert "every model" in skipped(look(sensors.model_sensor, platform))


def test_a_failed_training_waits_before_it_is_tried_again(
    look, instance, a_run, platform, readings, monkeypatch
):
    readings("2024-03-05T05:00:00Z")
    for _ in range(2):
        instance.report_run_failed(instance.get_run_by_id(a_run("retrain", "STARTED")))
    assert "the last 2 runs failed" in skipped(look(sensors.model_sensor, platform))
    ended = instance.get_run_records(limit=1)[0].end_time
    monkeypatch.setattr(sensors.time, "time", lambda: ended + 20)
    assert asked_for(look(sensors.model_sensor, platform))
