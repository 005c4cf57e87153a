"""A source whose meters people describe is loaded by the description, and again when it changes."""

import dagster as dg
import pytest

from usage_platform.core.meters import Meter
from usage_platform.defs.resources import PlatformResource
from usage_platform.defs.source_assets import source_readings
from usage_platform_tests.without_yaml import no_yaml

FILE = "meters: [{name: roof, unit: kW, sign: net, interval: 15}, {name: hall, unit: Wh}]\n"


@pytest.fixture
def deployment(tmp_path, monkeypatch):
    path = tmp_path / "own.csv"
    rows = [
        f"roof,2024-03-05 {hour:02d}:{minute},-{hour}.5"
        for hour in range(3)
        for minute in ("00", "15", "30", "45")
    ]
    path.write_text("\n".join(["meter,time,value", *rows]))
    monkeypatch.setenv("USAGE_DATA", str(tmp_path))
    monkeypatch.setenv("USAGE_SOURCE", str(path))
    found = PlatformResource().deployment
    found.assets.write_text("meters.yaml", FILE)
    return found


def materialize() -> dg.ExecuteInProcessResult:
    return dg.materialize([source_readings], resources={"platform": PlatformResource()})


def test_a_source_is_loaded_again_when_its_meters_are_described_in_another_way(deployment):
    assert not deployment.playback_plan().is_loaded
    assert materialize().success
    assert deployment.playback_plan().is_loaded
    readings = deployment.source_cache.readings()
    assert (len(readings), readings["value"].min()) == (12, -2.5)
    assert deployment.registry().get("roof") == Meter("roof", interval_minutes=15, sign="net")
    # Of another meter.
    deployment.assets.write_text("meters.yaml", FILE.replace("Wh", "kWh"))
    assert deployment.playback_plan().is_loaded
    deployment.assets.write_text("meters.yaml", FILE.replace("kW,", "MW,"))
    assert not deployment.playback_plan().is_loaded
    assert materialize().success
    assert deployment.playback_plan().is_loaded
    assert deployment.source_cache.readings()["value"].min() == -2500


def test_a_contradiction_fails_the_run_in_one_line(deployment, monkeypatch):
    monkeypatch.setenv("USAGE_CSV_UNIT", "W")
    with pytest.raises(dg.Failure) as caught:
        materialize()
    assert "meter roof: unit: the file says kW, but --unit says W" in caught.value.description


def test_an_invalid_description_fails_the_run_in_one_line(deployment):
    deployment.assets.write_text("meters.yaml", FILE.replace("15", "7"))
    with pytest.raises(dg.Failure) as caught:
        materialize()
    assert "meters.yaml: meter roof: interval: expected minutes" in caught.value.description
    assert "\n" not in caught.value.description


def test_beside_a_mistake_the_source_is_loaded_by_the_last_descriptions(deployment):
    assert materialize().success
    deployment.assets.write_text("meters.yaml", FILE.replace("15", "7"))
    assert deployment.playback_plan().is_loaded
    again = materialize()
    assert again.success
    (made,) = again.asset_materializations_for_node("source_readings")
    assert "meters.yaml: meter roof: interval: expected minutes" in made.metadata["notice"].value
    assert deployment.playback_plan().is_loaded
    assert deployment.source_cache.readings()["value"].min() == -2.5


def test_a_job_without_yaml_knows_the_same_meters(deployment):
    expected = deployment.registry()
    with no_yaml():
        assert PlatformResource().deployment.registry() == expected
