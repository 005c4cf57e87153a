import pytest

from usage_platform.adapters.sources.generated import GeneratedSource
from usage_platform.console.demo_folder import ready_folder
from usage_platform.console.site_files import site_files, write_site_files
from usage_platform.local.errors import LocalError
from usage_platform.local.stack_file import StackFile
from usage_platform.settings.settings import Settings
from usage_platform.wiring.platform import Platform

_MIX = [
    "both sources use the meter central-library: their readings will be mixed",
    "pass another --meter unless both belong to the same meter",
]


@pytest.fixture
def settings(tmp_path):
    return Settings(data=tmp_path / "demo", generated_days=1)


@pytest.fixture
def said():
    return []


def load(settings):
    source = Platform(settings).reading_source()
    assert isinstance(source, GeneratedSource)
    loaded = source.load(lambda done, total: None)
    cache = Platform(settings).source_cache
    cache.save(settings.source_label, loaded, settings.default_meter)


def holds_data(settings):
    return Platform(settings).source_cache.summary() is not None


def test_the_same_source_goes_on_where_it_ended(settings, said):
    load(settings)
    ready_folder(settings, False, said.append)
    assert holds_data(settings)
    assert said == []


def test_another_source_starts_afresh_and_says_so(settings, said):
    load(settings)
    ready_folder(settings.model_copy(update={"generated_days": 2}), False, said.append)
    assert not holds_data(settings)
    assert said == [f"{settings.data}: clearing the data of generated"]


def test_files_that_people_write_stay(settings, said):
    load(settings)
    assets = settings.data / "lake" / "assets"
    for name in ("alerts.yaml", "meters.yaml", "tariffs.yaml"):
        (assets / name).write_text("# by hand\n")
    ready_folder(settings.model_copy(update={"generated_days": 2}), False, said.append)
    left = [path.name for path in settings.data.rglob("*") if path.is_file()]
    assert sorted(left) == ["alerts.yaml", "meters.yaml", "tariffs.yaml"]


def test_files_that_a_demo_has_written_go_unless_they_were_changed(settings, said):
    load(settings)
    assets = Platform(settings).assets
    write_site_files(assets, lambda line: None)
    assets.write_text("tariffs.yaml", site_files()["tariffs.yaml"].replace("0.1040", "0.2040"))
    ready_folder(settings.model_copy(update={"generated_days": 2}), False, said.append)
    left = [path.name for path in settings.data.rglob("*") if path.is_file()]
    assert left == ["tariffs.yaml"]


def test_a_folder_whose_lake_is_elsewhere_is_never_cleared(settings, said, tmp_path):
    settings = settings.model_copy(update={"lake": str(tmp_path / "lake")})
    settings.data.mkdir()
    load(settings)
    ready_folder(settings.model_copy(update={"generated_days": 2}), False, said.append)
    assert settings.data.exists()
    assert said == [f"{settings.data}: keeping the data of generated", *_MIX]


def test_a_folder_whose_events_are_on_another_broker_is_never_cleared(settings, said):
    settings = settings.model_copy(update={"kafka_bootstrap": "kafka:9092"})
    load(settings)
    ready_folder(settings.model_copy(update={"generated_days": 2}), False, said.append)
    assert holds_data(settings)
    assert said == [f"{settings.data}: keeping the data of generated", *_MIX]


def test_sources_whose_readings_would_mix_are_told(settings, said):
    load(settings)
    ready_folder(settings.model_copy(update={"generated_days": 2}), True, said.append)
    assert said == [f"{settings.data}: keeping the data of generated", *_MIX]
    said.clear()
    other = settings.model_copy(update={"generated_days": 2, "meter": "other"})
    ready_folder(other, True, said.append)
    assert said == [f"{settings.data}: keeping the data of generated"]


def test_the_folder_of_a_running_stack_is_not_cleared(settings, said):
    load(settings)
    with StackFile(settings.data_dir), pytest.raises(LocalError, match="is in use"):
        ready_folder(settings.model_copy(update={"generated_days": 2}), False, said.append)
    assert holds_data(settings)
