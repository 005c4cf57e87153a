"""A group is a meter to the scorer: what is wrong with one of its meters is an episode of it."""

import json
from contextlib import closing

import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import ANOMALY, EPISODE
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.baseline.slot_forests import train_slot_forests
from usage_platform.core.detector.manifest import model_version
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.fleet.groups_file import parse_groups
from usage_platform.core.fleet.summed_groups import summed_groups
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.services.sum_groups import GroupSums
from usage_platform.services.tick_request import TickRequest
from usage_platform_tests.core.detector.made_models import model
from usage_platform_tests.services.score.hourly_meter import (
    FOREVER,
    HISTORY,
    JUDGED,
    as_table,
    readings,
)
from usage_platform_tests.services.summed_world import Ingestion, send

pytestmark = pytest.mark.kafka

METERS = MeterRegistry(known={name: Meter(name, interval_minutes=60) for name in ("m1", "m2")})
FILE = {"sites": [{"name": "Site", "buildings": [{"name": "House", "meters": ["m1", "m2"]}]}]}
GROUPS, _ = summed_groups(parse_groups(FILE, set(METERS.known)), METERS, {})
REGISTRY = METERS.with_groups(one.meter for one in GROUPS)
FAULT = pd.date_range(JUDGED + pd.Timedelta(hours=30), periods=6, freq="h")


def calm(start, hours, seed):
    """The house: a building without the spikes of the others."""
    frame = readings(start, hours, seed)
    return frame.assign(value=frame["value"].clip(upper=720))


@pytest.fixture
def timeline(tmp_path):
    """A model of the house, trained on the sums of five weeks."""
    history = as_table(calm(HISTORY, 24 * 35, seed=1)).assign(meter="House")
    forests = {"House": train_slot_forests(history, REGISTRY.get("House"), lambda *_: None)}
    made = model(model_version(JUDGED, forests), JUDGED, forests)
    store = ModelStore(LakeFiles(str(tmp_path / "models")))
    store.save(made)
    store.promote([made.manifest.version])
    return ModelTimeline(store.manifests(), store.load)


def test_a_fault_of_a_meter_is_an_episode_of_its_group(
    kafka, lake, read_all, make_scorer, timeline
):
    house = calm(JUDGED, 72, seed=2)
    parts = [house.assign(meter=m, value=house["value"] * k) for m, k in (("m1", 0.4), ("m2", 0.6))]
    rows = pd.concat(parts)
    rows.loc[(rows["meter"] == "m1") & rows["ts"].isin(FAULT), "value"] += 600.0
    send(kafka, rows)
    ingestion = Ingestion(kafka, lake, REGISTRY)
    ingestion.run()
    with closing(GroupSums(kafka, LakeReader(lake))) as summer:
        assert summer.tick(GROUPS, 60.0).readings == 2 * 72
    result = make_scorer(kafka).tick(TickRequest(timeline, REGISTRY, FOREVER))
    assert result.events == 4 * 72
    found = [json.loads(m.value()) for m in read_all(kafka, ANOMALY)]
    assert {one["meter"] for one in found} == {"House"}, "no model knows the others"
    large = [one for one in found if one["excess_kwh"] > 300]
    assert len(large) >= 3
    assert {pd.Timestamp(one["ts"]) for one in large} <= set(FAULT)
    told = [json.loads(m.value()) for m in read_all(kafka, EPISODE)]
    opened = {one["episode"] for one in told if one["status"] == "opened"}
    assert {one["episode"] for one in large} <= opened
