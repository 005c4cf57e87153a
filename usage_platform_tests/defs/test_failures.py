"""Runs on dead disks or without services fail in one line, and the next one makes it good."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, Lake
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
        assert "no space left" in failed(materialize, source_readings)
    assert materialize(source_readings).success


def test_without_a_broker_a_micro_batch_fails_in_one_line(materialize):
    assert "no Kafka broker is configured" in failed(materialize, streams_into_lake)


@pytest.fixture
def dead_disk(tmp_path) -> Iterator[tuple[Path, Callable[[], object]]]:
    """A folder on a disk that is full at once, and what mends it.

    Who may not mount a disk gets a folder that cannot be made, which Spark tells in the same way.
    """
    place = tmp_path / "disk"
    place.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o")
    if subprocess.run((*mount, "size=100k", "tmpfs", place), check=False).returncode == 0:
        remount = ("mount", "-o", "remount,size=64m", place)
        unmount = ("umount", "-l", place)
        yield place / "lake", lambda: subprocess.run(remount, check=True)
        subprocess.run(unmount, check=True)
    else:
        blocked = place / "lake"
        blocked.write_text("")
        yield blocked / "below", blocked.unlink


@pytest.fixture
def disk(tmp_path) -> Iterator[tuple[Path, Callable[[str], object]]]:
    """A folder on a disk, and what makes the disk read-only ("ro") and writable again ("rw")."""
    place = tmp_path / "disk"
    place.mkdir()
    mount, unmount = ("mount", "-t", "tmpfs", "-o"), ("umount", "-l", place)
    if subprocess.run((*mount, "size=64m", "tmpfs", place), check=False).returncode:
        # Who may not mount a disk is kept from writing by the folders' own rights.
        change, rights = ("chmod", "-R"), {"ro": "a-w", "rw": "u+w"}
        yield place, lambda how: subprocess.run((*change, rights[how], place), check=True)
    else:
        yield place, lambda how: subprocess.run((*mount, f"remount,{how}", place), check=True)
        subprocess.run(unmount, check=True)


@pytest.mark.spark
@pytest.mark.kafka
def test_what_comes_while_the_lake_is_read_only_waits_until_it_can_be_written(
    materialize, monkeypatch, kafka, put, spark_url, disk
):
    place, make = disk
    monkeypatch.setenv("USAGE_LAKE", str(place / "lake"))
    monkeypatch.setenv("USAGE_KAFKA_BOOTSTRAP", kafka.bootstrap)
    monkeypatch.setenv("USAGE_SPARK_REMOTE", spark_url)
    put(kafka, [b'{"ts": "2024-01-01 13:05:00", "value": 7}'])
    assert materialize(streams_into_lake).success
    put(kafka, [b'{"ts": "2024-01-01 13:10:00", "value": 8}'])
    make("ro")
    said = failed(materialize, streams_into_lake)
    assert str(place) in said
    assert "rite" in said
    make("rw")
    assert materialize(streams_into_lake).success
    assert LakeReader(Lake(str(place / "lake"))).state(READINGS).rows == 2


@pytest.mark.spark
@pytest.mark.kafka
def test_what_does_not_fit_on_the_disk_waits_and_comes_in_once_there_is_room(
    materialize, monkeypatch, kafka, put, spark_url, dead_disk
):
    lake, mend = dead_disk
    monkeypatch.setenv("USAGE_LAKE", str(lake))
    monkeypatch.setenv("USAGE_KAFKA_BOOTSTRAP", kafka.bootstrap)
    monkeypatch.setenv("USAGE_SPARK_REMOTE", spark_url)
    days = pd.date_range("2024-01-01", periods=60, freq="D")
    put(kafka, [f'{{"ts": "{day:%Y-%m-%d} 13:05:00", "value": 7}}'.encode() for day in days])
    said = failed(materialize, streams_into_lake)
    assert said.startswith("Spark cannot write (")
    assert "the next run tries it again" in said
    mend()
    assert materialize(streams_into_lake).success
    assert LakeReader(Lake(str(lake))).state(READINGS).rows == len(days)


def test_an_unknown_error_keeps_its_trace():
    @fails_in_one_line
    def broken():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
