"""What the sensor of groups decides; the stage is stood in for."""

from typing import ClassVar

import dagster as dg
import pandas as pd
import pytest

from usage_platform.adapters.lake.tables import USAGE_HOURLY
from usage_platform.adapters.stores.group_meters import GroupMeters
from usage_platform.core.fleet.missing_members import Missing
from usage_platform.core.meters import Meter
from usage_platform.defs import group_sensors
from usage_platform.services.group_tick import GroupTick
from usage_platform.services.kept_client import KeptClient
from usage_platform.services.sum_groups import SumsFencedError
from usage_platform.wiring import groups as wiring
from usage_platform_tests.conftest import table_writer
from usage_platform_tests.defs.conftest import Platform, skipped

pytestmark = pytest.mark.usefixtures("topics")

GROUPS = """
sites:
- name: Site
  buildings: [{name: a, meters: [a]}, {name: House, meters: [b, c]}]
virtual:
- {name: rest, plus: [b], minus: [c]}
"""
BEGIN = "new groups, readings begin within two minutes: "
BUSY = GroupTick(3, {"rest"}, 1, [Missing("rest", "c", 0)])


class FakeSummer:
    """Says what it is to say."""

    made: ClassVar[list["FakeSummer"]] = []
    answer: ClassVar[GroupTick | Exception] = BUSY

    def __init__(self, kafka, reader):
        self.asked, self.closed = [], False
        self.made.append(self)

    def tick(self, groups, seconds):
        self.asked.append({one.meter.name for one in groups})
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self):
        self.closed = True


@pytest.fixture
def summers(monkeypatch):
    monkeypatch.setattr(group_sensors, "_summer", KeptClient(FakeSummer))
    monkeypatch.setattr(group_sensors, "ensure_topics", lambda *_: None)
    monkeypatch.setattr(FakeSummer, "made", [])
    monkeypatch.setattr(FakeSummer, "answer", BUSY)
    return FakeSummer


def platform_of(tmp_path, text=GROUPS, *more) -> Platform:
    """A lake in which three meters and `more` have an hour."""
    platform = Platform(tmp_path)
    start = pd.Timestamp("2024-03-04T00:00Z")
    hours = pd.DataFrame({"meter": ["a", "b", "c", *more], "start": start})
    table_writer(platform.deployment.lake, USAGE_HOURLY, hours.assign(event_date=start.date()))
    platform.deployment.assets.write_text("groups.yaml", text)
    return platform


def test_without_groups_nothing_is_done(look, summers, tmp_path):
    assert "no groups" in skipped(look(group_sensors.group_stream, Platform(tmp_path)))
    assert summers.made == []


def test_a_new_group_is_known_as_a_meter_first_and_summed_later(
    look, summers, tmp_path, monkeypatch
):
    platform = platform_of(tmp_path)
    said = skipped(look(group_sensors.group_stream, platform))
    assert said.startswith(BEGIN)
    assert set(said.removeprefix(BEGIN).split(", ")) == {"Site", "House", "rest"}
    assert summers.made == []
    registry = platform.deployment.registry()
    assert registry.groups == {"Site", "House", "rest"}
    assert (registry.get("rest").is_net, registry.get("House").is_net) == (True, False)
    assert skipped(look(group_sensors.group_stream, platform)) == said
    monkeypatch.setattr(wiring, "SETTLING_SECONDS", 0.0)
    result = look(group_sensors.group_stream, platform)
    [told] = result.asset_events
    assert told.asset_key == dg.AssetKey("usage")
    metadata = {name: value.value for name, value in told.metadata.items()}
    assert (metadata["readings_of_groups"], metadata["incomplete_intervals"]) == (3, 1)
    assert metadata["missing"][0].startswith("group rest: no sum at 1970")
    assert summers.made[0].asked == [{"Site", "House", "rest"}]


def test_hours_of_a_group_do_not_make_it_a_meter_of_another_name(look, summers, tmp_path):
    platform = platform_of(tmp_path, GROUPS, "rest")
    said = skipped(look(group_sensors.group_stream, platform))
    assert "virtual meter 'rest': a meter has this name; choose another" in said
    GroupMeters(platform.deployment.assets).add([Meter("rest")], 0.0)
    assert skipped(look(group_sensors.group_stream, platform)).startswith(BEGIN)


def test_a_group_whose_interval_would_change_is_left_out_and_said(
    look, summers, tmp_path, monkeypatch
):
    platform = platform_of(tmp_path)
    monkeypatch.setattr(FakeSummer, "answer", GroupTick())
    known = [Meter(name) for name in ("Site", "House")]
    GroupMeters(platform.deployment.assets).add([*known, Meter("rest", "UTC", 60)], 0.0)
    said = skipped(look(group_sensors.group_stream, platform))
    assert "group rest: its readings are of 60 min" in said
    assert summers.made[0].asked == [{"Site", "House"}]


def test_a_stage_that_fails_is_replaced_at_the_next_tick(look, summers, tmp_path, monkeypatch):
    platform = platform_of(tmp_path)
    skipped(look(group_sensors.group_stream, platform))
    monkeypatch.setattr(wiring, "SETTLING_SECONDS", 0.0)
    monkeypatch.setattr(FakeSummer, "answer", SumsFencedError())
    assert "another process sums" in skipped(look(group_sensors.group_stream, platform))
    monkeypatch.setattr(FakeSummer, "answer", GroupTick())
    assert "no new sum" in skipped(look(group_sensors.group_stream, platform))
    assert [one.closed for one in summers.made] == [True, False]
