"""A tick that has nothing to do rests, unless its process ends."""

import threading

import pytest

from usage_platform.defs import alert_sensor, group_sensors, idle_ticks, sample_sensors, sensors
from usage_platform_tests.defs.conftest import Platform, skipped


class Waits(threading.Event):
    """An event that notes for how long it was waited for."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def wait(self, timeout=None):
        self.seconds.append(timeout)
        return self.is_set()


@pytest.fixture
def waits(monkeypatch):
    found = Waits()
    monkeypatch.setattr(idle_ticks, "ENDING", found)
    return found


@pytest.mark.parametrize(
    "sensor", [alert_sensor.alerts, group_sensors.group_stream, sample_sensors.sample_stream]
)
def test_a_sensor_that_nobody_has_given_anything_to_do_rests(look, waits, tmp_path, sensor):
    assert "no " in skipped(look(sensor, Platform(tmp_path)))
    assert waits.seconds == [idle_ticks.REST_SECONDS]


def test_a_playback_that_is_over_is_looked_at_after_a_rest_and_one_that_is_not_at_once(
    look, waits, topics, tmp_path
):
    platform = Platform(tmp_path)
    loaded = platform.load()
    look(sensors.playback_sensor, platform)
    assert waits.seconds == []
    topics.last = loaded.groupby("meter")["ts"].max().to_dict()
    assert "exhausted" in skipped(look(sensors.playback_sensor, platform))
    assert waits.seconds == [idle_ticks.REST_SECONDS]


def test_a_rest_leaves_dagster_its_time_and_ends_with_the_process(monkeypatch):
    ending = threading.Event()
    ending.set()
    monkeypatch.setattr(idle_ticks, "ENDING", ending)
    monkeypatch.setattr(idle_ticks, "REST_SECONDS", threading.TIMEOUT_MAX)
    assert idle_ticks.nothing_to_do("a", "", "b").skip_message == "a; b"
