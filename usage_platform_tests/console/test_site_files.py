"""The files that a demo writes where people have written none."""

import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.groups import groups_in
from usage_platform.adapters.stores.plain_yaml import yaml_texts
from usage_platform.console.site_files import site_files, write_site_files
from usage_platform.core.fleet.groups import GroupKind
from usage_platform.core.generator.site_plan import BUILDINGS, site_meters
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.tariffs.demand import check_windows
from usage_platform.core.tariffs.parsing import parse_tariffs

NAMES = {meter.name for meter in site_meters()}


@pytest.fixture
def said():
    return []


@pytest.fixture
def assets(tmp_path):
    return LakeFiles(f"{tmp_path}/assets")


def test_both_are_written_and_one_line_says_whose_they_are(assets, said):
    write_site_files(assets, said.append)
    assert {name: assets.read_text(name) for name in site_files()} == site_files()
    [line] = said
    assert "assets: wrote the demo's groups.yaml and tariffs.yaml" in line


def test_what_people_wrote_stays(assets, said):
    assets.write_text("tariffs.yaml", "# mine\n")
    write_site_files(assets, said.append)
    assert assets.read_text("tariffs.yaml") == "# mine\n"
    assert "wrote the demo's groups.yaml," in said[0]
    said.clear()
    write_site_files(assets, said.append)
    assert said == []


def test_each_building_is_its_sub_meters_and_the_rest():
    groups = groups_in(site_files()["groups.yaml"], "groups.yaml", NAMES, MeterRegistry()).groups
    buildings = [one for one in groups if one.kind is GroupKind.BUILDING]
    # Their signed sums are the main meters.
    assert [[one.meter for one in own.members] for own in buildings] == [
        [one.name] for one in BUILDINGS
    ]
    rests = {one.name: one for one in groups if one.kind is GroupKind.VIRTUAL}
    for one in BUILDINGS:
        signs = {member.meter: member.sign for member in rests[one.rest_name].members}
        assert signs == {one.name: 1, **dict.fromkeys((m.name for m in one.sub_meters), -1)}


def test_each_meter_has_a_price_and_grams_of_co2_and_buildings_a_demand_they_can_show():
    book = parse_tariffs(yaml_texts(site_files()["tariffs.yaml"]), "tariffs.yaml")
    for meter in site_meters():
        money = book.money(meter.name)
        assert money is not None
        assert book.carbon(meter.name) is not None
        [version] = money.versions
        is_main = meter.name in {one.name for one in BUILDINGS}
        assert bool(version.demand) is is_main
        check_windows(money, meter)
