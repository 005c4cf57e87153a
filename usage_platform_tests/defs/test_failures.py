"""Runs on dead disks or without services fail in one line, and the next one makes it good."""

import dagster as dg
import pytest

from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.lake_assets import streams_into_lake
from usage_platform.defs.resources import PlatformResource
from usage_platform.defs.source_assets import source_readings
from usage_platform_tests.no_room import no_room


@pytest.fixture
def materialize(tmp_path, monkeypatch):
    """Materialize one asset on one data folder."""
    monkeypatch.setenv("USAGE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("USAGE_GENERATED_DAYS", "2")

    def run(asset):
        return dg.materialize([asset], resources={"platform": PlatformResource()})

    return run


def failed(materialize, asset) -> str:
    with pytest.raises(dg.Failure) as caught:
        materialize(asset)
    assert caught.value.description
    assert "\n" not in caught.value.description
    return caught.value.description


def test_a_source_that_does_not_fit_on_the_disk_is_loaded_once_there_is_room(materialize):
    with no_room(4096):
        assert "no room" in failed(materialize, source_readings)
    assert materialize(source_readings).success


def test_without_a_broker_a_micro_batch_fails_in_one_line(materialize):
    assert "no Kafka is known" in failed(materialize, streams_into_lake)


@pytest.mark.spark
@pytest.mark.kafka
def test_a_lake_that_cannot_be_written_fails_the_micro_batch_in_one_line(
    materialize, monkeypatch, kafka, spark_url, tmp_path
):
    # Not even root may make a folder there.
    blocked = tmp_path / "lake"
    blocked.write_text("")
    lake = blocked / "below"
    monkeypatch.setenv("USAGE_LAKE", str(lake))
    monkeypatch.setenv("USAGE_KAFKA_BOOTSTRAP", kafka.bootstrap)
    monkeypatch.setenv("USAGE_SPARK_REMOTE", spark_url)
    assert "is done by the next run" in failed(materialize, streams_into_lake)
    blocked.unlink()
    assert materialize(streams_into_lake).success


def test_an_unknown_error_keeps_its_trace():
    @fails_in_one_line
    def broken():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
