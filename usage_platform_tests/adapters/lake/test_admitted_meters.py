"""One list for all readers: what they accept is the same in any order, at any time, at once."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.adapters.lake.admitted_meters import AdmittedMeters
from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.tables import USAGE_HOURLY, Lake
from usage_platform.core.limits import EventLimits
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.hourly import hourly_from_readings
from usage_platform.core.readings.validation import RAW_COLUMNS, validate_events


def registry_of(most, *described):
    registry = MeterRegistry(limits=EventLimits(meters=most))
    return registry.with_meters(Meter(name) for name in described)


def listed(lake):
    return json.loads((Path(lake.meters) / "admitted.json").read_text("utf-8"))


def test_names_are_added_while_there_is_room_and_stay(lake):
    meters = AdmittedMeters(lake)
    registry = registry_of(3)  # One is the default meter's.
    assert set(meters.admit(["b", "a", "c"], registry)) == {"a", "b"}
    assert listed(lake) == ["b", "a"]
    assert set(meters.admit(["c", "a"], registry)) == {"a"}
    assert set(AdmittedMeters(lake).known(["c", "a", "d"], registry)) == {"a"}


def test_a_larger_limit_makes_room_and_a_smaller_one_takes_nobodys_place(lake):
    meters = AdmittedMeters(lake)
    meters.admit(["a", "b"], registry_of(3))
    assert set(meters.admit(["a", "b", "c"], registry_of(4))) == {"a", "b", "c"}
    assert set(meters.admit(["a", "b", "c", "d"], registry_of(1))) == {"a", "b", "c"}


def test_meters_that_a_source_describes_are_accepted_and_count(lake):
    registry = registry_of(3, "x", "y")
    batch = validate_events(
        events(["new", "x", "y", "central-library"]), registry, AdmittedMeters(lake).admit
    )
    assert set(batch.readings["meter"]) == {"x", "y", "central-library"}
    assert batch.rejects["reason"].tolist() == ["too_many_meters"]
    assert "3 meters (USAGE_MAX_METERS)" in batch.rejects["detail"].item()


def test_readers_who_meet_new_names_at_once_agree(lake):
    names = [f"meter {number}" for number in range(40)]
    registry = registry_of(11)

    def read(first):
        meters, accepted = AdmittedMeters(lake), set()
        for name in names[first:] + names[:first]:
            accepted |= set(meters.admit([name], registry))
        return accepted

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(read, (0, 10, 20, 30)))
    assert found == [set(listed(lake))] * 4
    assert len(found[0]) == 10


def test_a_lake_of_a_former_version_begins_with_the_meters_it_has(lake, write_table):
    readings = pd.DataFrame(
        {
            "meter": ["old", "older"],
            "event_time": pd.to_datetime(["2024-03-05T13:00Z", "2024-03-05T13:00Z"], utc=True),
            "value": [1.0, 2.0],
        }
    )
    hours = hourly_from_readings(readings, registry_of(9))
    write_table(lake, USAGE_HOURLY, hours.assign(event_date=hours["start"].dt.date))
    meters = AdmittedMeters(lake)
    assert set(meters.known(["old", "new"], registry_of(2))) == {"old"}
    assert set(meters.admit(["old", "older", "new"], registry_of(2))) == {"old", "older"}


def test_a_damaged_list_is_one_line_that_says_what_to_do(lake):
    place = Path(lake.meters) / "admitted.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    for text in ("{", '{"a": 1}', "[1]"):
        place.write_text(text, "utf-8")
        with pytest.raises(LakeError, match=r"meters/admitted.json: damaged .* remove it"):
            AdmittedMeters(lake).admit(["a"], registry_of(9))
        assert place.read_text("utf-8") == text


def events(meters, start=0):
    """An event of each of these meters, as they are on the topic."""
    rows = [
        ("usage", 0, start + n, pd.Timestamp("2024-06-01T12:00Z"), None, value_of(meter))
        for n, meter in enumerate(meters)
    ]
    frame = pd.DataFrame(rows, columns=RAW_COLUMNS)
    return frame.astype({"kafka_time": "datetime64[ns, UTC]", "key": object, "value": object})


def value_of(meter):
    if meter.startswith("bad"):
        return json.dumps({"meter": meter, "ts": "noon", "value": 1}).encode()
    return json.dumps({"meter": meter, "ts": "2024-03-05T13:05:00Z", "value": 1}).encode()


topics = st.lists(st.sampled_from([*"abcdefgh", "bad a", "bad z"]), min_size=1, max_size=20)


@settings(max_examples=20, deadline=None)
@given(topics, st.integers(1, 6), st.lists(st.integers(1, 20), max_size=4), st.randoms())
def test_two_readers_accept_the_same_events_however_they_split_the_topic(
    tmp_path_factory, meters, most, cuts, random
):
    """Each reads the topic in batches of its own, in turns that chance decides."""
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    registry = registry_of(most)
    readers = {
        name: (AdmittedMeters(lake), iter(batches(meters, cuts))) for name in ("lake", "scorer")
    }
    verdicts = {name: {} for name in readers}
    turns = list(readers)
    while turns:
        name = random.choice(turns)
        admitted, parts = readers[name]
        part = next(parts, None)
        if part is None:
            turns.remove(name)
            continue
        batch = validate_events(part, registry, admitted.admit)
        verdicts[name] |= dict(zip(batch.rejects["offset"], batch.rejects["reason"], strict=True))
    assert verdicts["lake"] == verdicts["scorer"]
    refused = {m for n, m in enumerate(meters) if verdicts["lake"].get(n) == "too_many_meters"}
    valid = {m for m in meters if not m.startswith("bad")}
    assert len(valid - refused) == min(len(valid), most - 1)


def batches(meters, cuts):
    ends = sorted({min(cut, len(meters)) for cut in cuts} | {len(meters)})
    return [events(meters[a:b], a) for a, b in zip([0, *ends], ends, strict=False) if a < b]


def test_names_that_are_refused_are_remembered_nowhere(lake):
    meters, registry = AdmittedMeters(lake), registry_of(5)
    meters.admit([f"first {n}" for n in range(10)], registry)
    size = len(pickle.dumps(meters))
    meters.admit([f"meter {n}" for n in range(5_000)], registry)
    assert len(pickle.dumps(meters)) == size
    assert len(listed(lake)) == 4


def test_of_a_closed_list_only_its_meters_are_accepted_and_no_list_is_kept(lake):
    limits = EventLimits(allowed_meters=frozenset({"a", "central-library"}))
    registry = replace(MeterRegistry(), limits=limits)
    batch = validate_events(events(["a", "b", "bad a"]), registry, AdmittedMeters(lake).admit)
    assert batch.readings["meter"].tolist() == ["a"]
    assert batch.rejects["reason"].tolist() == ["meter_not_allowed", "unreadable_time"]
    assert not (Path(lake.meters) / "admitted.json").exists()


def test_groups_take_no_meters_place(lake):
    groups = [Meter(name) for name in ("site", "building", "rest")]
    registry = registry_of(3).with_groups(groups)
    meters = AdmittedMeters(lake)
    assert set(meters.admit(["a", "b", "c"], registry)) == {"a", "b"}
