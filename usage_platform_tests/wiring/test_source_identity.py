"""What identifies a source: its settings and its content, not when a file was written."""

import os

import pytest

from usage_platform.settings.settings import Settings
from usage_platform.wiring.sources import source_identity


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("time,usage_kw\n2024-03-05,1\n")
    return file


def identity(file, **settings):
    return source_identity(Settings.from_env({}, source=str(file), **settings))


def test_a_file_that_was_only_touched_is_the_same(file):
    before = identity(file)
    os.utime(file, (1, 1))
    after = identity(file)
    assert (after.name, after.version) == (before.name, before.version)


def test_a_file_that_grew_is_the_same_source_with_another_content(file):
    before = identity(file)
    with file.open("a") as more:
        more.write("2024-03-06,2\n")
    after = identity(file)
    assert after.name == before.name
    assert after.version != before.version


def test_other_settings_are_another_source(file):
    assert identity(file).name != identity(file, interval_minutes=15).name


def test_a_generated_source_is_identified_by_its_settings():
    settings = Settings.from_env({}, source="generated")
    found = source_identity(settings)
    label = settings.source_label
    assert (found.name, found.version, found.former) == (label, label, "")
