"""What set-up fetches, and what it says of it."""

from pathlib import Path

import pytest

from usage_platform.console import setup
from usage_platform.local.java import JavaHome
from usage_platform.settings.settings import Settings


@pytest.fixture
def fetched(monkeypatch, tmp_path, capsys):
    """Run set-up with nothing fetched: who was asked, and the lines that were said."""
    asked = []

    def set_up(*args):
        asked.append("java and jars")
        return JavaHome(Path("/j"), 17), None

    monkeypatch.setattr(setup, "set_up", set_up)
    monkeypatch.setattr(setup, "record_archives_of", lambda *args: asked.append("archives"))
    monkeypatch.setattr(setup, "ensure_scripts", lambda *args: asked.append("scripts"))

    def run(**given: str) -> tuple[list[str], str]:
        setup.fetch_all(Settings.from_env({}, data=tmp_path, **given))
        return asked, capsys.readouterr().out

    return run


def test_java_and_jars_are_fetched_where_one_service_is_started_here(fetched):
    asked, said = fetched(kafka_bootstrap="b:9092")
    assert asked == ["java and jars", "scripts"]
    assert "Java 17 at /j and the jars are ready" in said


def test_neither_is_fetched_where_both_services_are_elsewhere(fetched):
    asked, said = fetched(kafka_bootstrap="b:9092", spark_remote="sc://s:15002")
    assert asked == ["scripts"]
    assert "no Java and no jars are needed here" in said


def test_archives_are_recorded_where_both_services_are_started_here(fetched):
    assert fetched()[0] == ["java and jars", "archives", "scripts"]


def test_none_are_recorded_for_a_lake_on_aws(fetched):
    assert fetched(lake="s3://bucket/lake")[0] == ["java and jars", "scripts"]


def test_set_up_goes_on_where_they_cannot_be_recorded(fetched, monkeypatch):
    def full(*args):
        raise OSError("No space left on device")

    monkeypatch.setattr(setup, "record_archives_of", full)
    asked, printed = fetched()
    assert asked == ["java and jars", "scripts"]
    assert "so Kafka and Spark start more slowly: No space left on device" in printed
