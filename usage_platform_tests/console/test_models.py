"""`usage-platform models`: the list, and putting models in and out of force."""

import io

import pandas as pd
import pytest
from click.testing import CliRunner
from rich.console import Console

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.console.cli import main
from usage_platform.console.models import change, listed, sizes
from usage_platform.core.detector.manifest import Model, bytes_held
from usage_platform.core.meters import Meter
from usage_platform.settings.settings import SettingsError
from usage_platform_tests.core.detector.made_manifest import manifest
from usage_platform_tests.core.detector.made_models import cut_forests


def model(version: str, day: int) -> Model:
    made = manifest(
        version,
        pd.Timestamp(f"2024-03-{day:02d}T05:00:00+00:00"),
        method="forest",
        trained_at="2024-03-05T12:00:00+00:00",
        readings=12_345,
        slots_trained=2_016,
        slots_thin=0,
        false_alarms_per_week=0.5,
    )
    return Model(made, {})


@pytest.fixture
def store(tmp_path) -> ModelStore:
    """Three models; the middle one was not put in force."""
    store = ModelStore(LakeFiles(str(tmp_path / "lake" / "models")))
    for day, version in enumerate(("first", "second", "third"), start=5):
        store.save(model(version, day))
    store.promote(["first", "third"])
    return store


@pytest.fixture
def run(tmp_path, store):
    return lambda *args: CliRunner().invoke(main, ["--data", str(tmp_path), "models", *args])


def in_force(store) -> list[str]:
    return [one.version for one in store.manifests()]


def test_every_model_is_listed_the_newest_last_with_whether_it_is_in_force(store):
    out = io.StringIO()
    Console(file=out, width=120).print(listed(store))
    rows = [line.split() for line in out.getvalue().splitlines() if "forest" in line]
    assert rows == [
        ["first", "forest", "2024-03-05", "05:00Z", "12,345", "2,016", "yes"],
        ["second", "forest", "2024-03-06", "05:00Z", "12,345", "2,016", "no"],
        ["third", "forest", "2024-03-07", "05:00Z", "12,345", "2,016", "yes"],
    ]


def test_a_model_is_put_in_force_by_its_version(store):
    assert change(store, "second") == "model second promoted"
    assert in_force(store) == ["first", "second", "third"]


def test_back_takes_the_one_that_was_promoted_last_whatever_its_time(store):
    change(store, "second")
    assert change(store, None) == "model second rolled back; the previous model scores again"
    assert in_force(store) == ["first", "third"]


def test_the_last_model_in_force_stays(store):
    change(store, None)
    with pytest.raises(SettingsError, match="cannot roll back: no previous model is promoted"):
        change(store, None)
    assert in_force(store) == ["first"]


def test_a_version_that_is_not_there_is_named_with_what_to_do(store):
    with pytest.raises(
        SettingsError, match=r"model none: .*run 'usage-platform models' for the list"
    ):
        change(store, "none")
    assert in_force(store) == ["first", "third"]


def test_the_command_lists_and_changes(run, store):
    assert "second" in run().output
    done = run("--promote", "second")
    assert (done.exit_code, done.output) == (0, "model second promoted\n")
    assert run("--back").output.startswith("model second rolled back")
    assert in_force(store) == ["first", "third"]


def test_the_command_without_any_model_prints_an_empty_list(tmp_path):
    done = CliRunner().invoke(main, ["--data", str(tmp_path / "none"), "models"])
    assert done.exit_code == 0
    assert "promoted" in done.output


@pytest.mark.parametrize("args", [("--promote", "none"), ("--promote", "../x")])
def test_a_mistake_on_the_command_line_is_one_line(run, args):
    done = run(*args)
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: model {args[1]}: not in the store")
    assert done.output.count("\n") == 1


@pytest.mark.parametrize(
    "args",
    [("--back", "--promote", "v1"), ("--promote", "v1", "--sizes"), ("--back", "--sizes")],
)
def test_of_options_that_exclude_each_other_none_is_done(run, store, args):
    before = store.promoted()
    done = run(*args)
    assert done.exit_code == 2
    assert "expected one of --back, --promote and --sizes" in done.output
    assert store.promoted() == before


def test_a_version_without_a_name_is_none(run):
    assert run("--promote", "").exit_code == 1


def test_without_a_model_there_is_no_size(tmp_path):
    with pytest.raises(SettingsError, match=r"^models: none with a detector yet; train one first$"):
        sizes(ModelStore(LakeFiles(str(tmp_path))))


def test_sizes_are_those_of_the_newest_model_with_detectors_by_number_of_meters(store):
    meters = [f"m{number:02}" for number in range(20)]
    detectors = {name: cut_forests(Meter(name, interval_minutes=60)) for name in meters}
    store.save(Model(model("sized", 8).manifest, detectors))
    store.promote(["sized"])
    out = io.StringIO()
    Console(file=out, width=120).print(sizes(store))
    rows = [line.split() for line in out.getvalue().splitlines() if line.strip()[:1].isdigit()]
    held, disk = bytes_held(detectors["m00"]), store.bytes_of("sized") / 20
    assert [row[0] for row in rows] == ["1", "10", "100", "1,000"]
    for row, count in zip(rows, (1, 10, 100, 1_000), strict=True):
        figures = [float(text.replace(",", "")) for text in row[1::2]]
        assert row[2::2] == ["MB"] * 3
        for figure, expected in zip(figures, (held, disk, 52 * disk), strict=True):
            assert figure == pytest.approx(count * expected / 1e6, rel=0.01, abs=0.006)


def test_the_command_prints_sizes(run, store):
    detectors = {"m": cut_forests(Meter("m", interval_minutes=60))}
    store.save(Model(model("sized", 8).manifest, detectors))
    store.promote(["sized"])
    assert "1,000" in run("--sizes").output
