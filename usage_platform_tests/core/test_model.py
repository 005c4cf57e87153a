import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.meters import Meter
from usage_platform.core.model import Manifest, judged_by, model_version
from usage_platform.core.slot_forests import SlotForests

END = pd.Timestamp("2024-03-05T05:00:00Z")
SECOND = pd.Timedelta(seconds=1)


def manifest(window_end, version="v"):
    return Manifest(
        version=version,
        method="blog",
        window_start="2023-12-26T05:00:00+00:00",
        window_end=window_end,
        trained_at="2024-03-05T06:00:00+00:00",
        readings=20_160,
        meters=1,
        slots_trained=2_016,
        slots_thin=0,
        data_version=7,
        libraries={"scikit-learn": "1.7.0"},
    )


def forests(meter=None, score=0.4):
    slots = 168
    return SlotForests(
        meter=meter or Meter("m", interval_minutes=60),
        comparables=np.full(slots, 9),
        low=np.zeros(slots),
        high=np.ones(slots),
        starts=np.arange(slots + 1),
        cuts=np.full(slots, np.inf),
        scores=np.full(slots, score),
    )


def judges(*instants, ends):
    times = pd.Series(instants, dtype="datetime64[ns, UTC]")
    return judged_by(times, [manifest(end.isoformat()) for end in ends]).tolist()


def test_a_model_judges_from_the_very_end_of_its_history_on():
    assert judges(END - SECOND, END, END + SECOND, ends=[END]) == [-1, 0, 0]
    assert judges(END - pd.Timedelta(1), ends=[END]) == [-1]


def test_the_newest_model_whose_history_has_ended_judges():
    later = END + pd.Timedelta(days=7)
    asked = [later, END - SECOND, later - SECOND, END]
    assert judges(*asked, ends=[END, later]) == [1, -1, 0, 0]


def test_of_two_models_with_one_end_the_last_judges():
    assert judges(END, ends=[END, END]) == [1]


def test_without_a_model_nothing_is_judged_and_no_readings_are_fine():
    assert judges(END, ends=[]) == [-1]
    assert judges(ends=[END]) == []


@pytest.mark.parametrize("text", ["2024-03-05T05:00:00+00:00", "2024-03-05T00:00:00-05:00"])
def test_the_end_of_a_history_is_an_instant_however_it_is_written(text):
    assert manifest(text).judges_from == END
    assert judged_by(pd.Series([END - SECOND, END]), [manifest(text)]).tolist() == [-1, 0]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_the_unit_of_the_instants_does_not_matter(unit):
    times = pd.Series([END - SECOND, END]).astype(f"datetime64[{unit}, UTC]")
    assert judged_by(times, [manifest(END.isoformat())]).tolist() == [-1, 0]


hours = st.integers(-50, 50).map(lambda n: END + pd.Timedelta(hours=n))


@settings(max_examples=50, deadline=None)
@given(st.lists(hours, max_size=6), st.lists(hours, max_size=4).map(sorted))
def test_each_reading_is_judged_as_if_it_came_alone(asked, ends):
    together = judges(*asked, ends=ends)
    assert together == [judges(instant, ends=ends)[0] for instant in asked]
    assert together == [sum(end <= instant for end in ends) - 1 for instant in asked]


def test_a_manifest_comes_back_from_json():
    made = manifest(END.isoformat())
    assert Manifest(**json.loads(json.dumps(made.as_dict()))) == made


def test_a_version_tells_the_end_and_is_the_same_for_the_same_forests_in_any_order():
    two = {"a": forests(), "b": forests(score=0.3)}
    version = model_version(END, two)
    assert version.startswith("20240305T0500-")
    assert version == model_version(END, dict(reversed(two.items())))


@pytest.mark.parametrize(
    "other",
    [
        {"b": forests()},
        {"a": forests(score=0.5)},
        {"a": forests(Meter("m", "Europe/Rome", 60))},
        {"a": replace(forests(), high=np.full(168, 2.0))},
        {"a": forests(), "b": forests()},
        {},
    ],
    ids=["name", "score", "zone", "range", "one_more", "none"],
)
def test_anything_that_changes_a_model_changes_its_version(other):
    assert model_version(END, other) != model_version(END, {"a": forests()})


def test_another_end_is_another_version():
    same = {"a": forests()}
    assert model_version(END, same) != model_version(END + pd.Timedelta(days=1), same)
