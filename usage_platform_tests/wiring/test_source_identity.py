"""What identifies a source: its settings and its content, not when a file was written."""

import os

import pytest

from usage_platform.core.measurement import Unit
from usage_platform.core.meter_descriptions.description import MeterDescription
from usage_platform.services.playback_progress import SourceIdentity
from usage_platform.settings.settings import Settings
from usage_platform.wiring.sources import described_identity, source_identity


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


def test_what_people_say_of_its_meters_is_part_of_the_content():
    found = SourceIdentity("files", "files v1")
    east = MeterDescription(name="east", unit=Unit.KWH)
    other = {"west": MeterDescription(name="west")}
    assert described_identity(found, {}, ["east"]) == found
    assert described_identity(found, other, ["east"]) == found
    versions = {
        described_identity(found, {"east": one, **more}, ["east"]).version
        for one in (east, east.model_copy(update={"unit": Unit.WH}))
        for more in ({}, other)
    }
    assert len(versions) == 2
    assert all(version.startswith("files v1 ") for version in versions)


def test_a_generated_source_is_identified_by_its_settings():
    settings = Settings.from_env({}, source="generated")
    found = source_identity(settings)
    label = settings.source_label
    assert (found.name, found.version, found.former) == (label, label, "")


def test_the_generated_site_is_identified_by_its_seed():
    one, other = (
        source_identity(Settings.from_env({}, source="generated-site", generated_seed=seed))
        for seed in (1, 2)
    )
    assert one != other
    assert one.name.startswith("generated-site 1 ")
