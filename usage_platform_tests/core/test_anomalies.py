import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.anomalies import (
    ANOMALY_COLUMNS,
    anomalies_from_messages,
    anomaly_id,
    anomaly_messages,
    find_anomalies,
    severity,
)
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.model import Manifest, Model
from usage_platform.core.slot_forests import CUT, SlotForests

REGISTRY = MeterRegistry(Meter(interval_minutes=60)).with_meters(
    [Meter("rome", "Europe/Rome", 60), Meter("delhi", "Asia/Kolkata", 60)]
)
FIRST_END = pd.Timestamp("2024-10-28T04:00:00Z")
SECOND_END = pd.Timestamp("2024-11-04T05:00:00Z")
THIN_SLOT = 3
LOW, HIGH = 100.0, 200.0


def forests(meter):
    """Odd below 100 and above 200 kW in every slot but a thin one."""
    slots = 168
    lengths = np.where(np.arange(slots) == THIN_SLOT, 0, 3)
    known = lengths > 0
    return SlotForests(
        meter=meter,
        comparables=np.where(known, 9, 1),
        low=np.where(known, LOW, np.nan),
        high=np.where(known, HIGH, np.nan),
        starts=np.concatenate([[0], np.cumsum(lengths)]),
        cuts=np.tile([LOW, HIGH, np.inf], slots - 1),
        scores=np.tile([0.9, CUT, 0.7], slots - 1),
    )


def model(version, window_end, meters):
    manifest = Manifest(
        version=version,
        method="blog",
        window_start=(window_end - pd.Timedelta(days=70)).isoformat(),
        window_end=window_end.isoformat(),
        trained_at=window_end.isoformat(),
        readings=1,
        meters=len(meters),
        slots_trained=167,
        slots_thin=1,
        data_version=0,
        libraries={},
    )
    return Model(manifest, {name: forests(REGISTRY.get(name)) for name in meters})


MODELS = {
    "first": model("first", FIRST_END, ["rome"]),
    "second": model("second", SECOND_END, ["rome", "delhi"]),
}
MANIFESTS = [m.manifest for m in MODELS.values()]


def readings(*rows):
    frame = pd.DataFrame(rows, columns=["meter", "event_time", "value"])
    return frame.astype({"event_time": "datetime64[ns, UTC]", "value": "float64"})


def find(frame):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return find_anomalies(frame, MANIFESTS, MODELS.__getitem__)


def weekday_noon(end):
    return end + pd.Timedelta(days=1, hours=7)


readings_anywhere = st.lists(
    st.tuples(
        st.sampled_from(["rome", "delhi", "new"]),
        st.integers(-200, 400).map(lambda n: FIRST_END + pd.Timedelta(hours=n)),
        st.sampled_from([0.0, 99.9, 100.0, 150.0, 200.1, 500.0]),
    ),
    unique_by=lambda row: row[:2],
    max_size=15,
)


@settings(max_examples=30, deadline=None)
@given(readings_anywhere)
def test_each_reading_is_scored_learning_or_thin(rows):
    found = find(readings(*rows))
    assert found.scored + found.learning + found.thin == len(rows)
    assert len(found.anomalies) <= found.scored
    assert min(found.scored, found.learning, found.thin) >= 0


@settings(max_examples=25, deadline=None)
@given(readings_anywhere, st.integers(0, 15), st.randoms(use_true_random=False))
def test_the_anomalies_are_the_same_however_the_readings_are_split_and_ordered(rows, cut, random):
    whole = find(readings(*rows))
    random.shuffle(rows)
    parts = [find(readings(*part)) for part in (rows[:cut], rows[cut:])]
    by_id = [
        anomalies.sort_values("anomaly_id").to_dict("records")
        for anomalies in (whole.anomalies, *(part.anomalies for part in parts))
    ]
    joined = sorted(by_id[1] + by_id[2], key=lambda row: row["anomaly_id"])
    assert joined == by_id[0]
    assert len({row["anomaly_id"] for row in joined}) == len(joined)
    for count in ("scored", "learning", "thin"):
        assert getattr(whole, count) == sum(getattr(part, count) for part in parts)


def test_an_anomaly_tells_what_was_expected_and_who_judged():
    at = weekday_noon(FIRST_END)
    found = find(readings(("rome", at, 250.5), ("rome", at + pd.Timedelta(hours=1), 150)))
    assert found.anomalies.columns.tolist() == ANOMALY_COLUMNS
    assert found.anomalies.to_dict("records") == [
        {
            "anomaly_id": anomaly_id("rome", at, "first"),
            "meter": "rome",
            "event_time": at,
            "usage": 250.5,
            "expected_low": LOW,
            "expected_high": HIGH,
            "score": 0.7,
            "severity": "medium",
            "model_version": "first",
        }
    ]
    assert (found.scored, found.learning, found.thin) == (2, 0, 0)


def test_a_score_just_at_the_cut_is_no_anomaly():
    assert find(readings(("rome", weekday_noon(FIRST_END), 150))).anomalies.empty


def test_a_reading_is_judged_by_the_model_of_its_time():
    times = [FIRST_END - pd.Timedelta(hours=1), FIRST_END, SECOND_END]
    found = find(readings(*(("rome", at, 999) for at in times)))
    assert found.anomalies["model_version"].tolist() == ["first", "second"]
    assert (found.scored, found.learning) == (2, 1)


def test_a_meter_that_its_model_does_not_know_is_learning():
    at = weekday_noon(FIRST_END)
    found = find(readings(("delhi", at, 999), ("new", at, 999), ("delhi", SECOND_END, 999)))
    assert found.anomalies["meter"].tolist() == ["delhi"]
    assert (found.scored, found.learning) == (1, 2)


def test_a_reading_in_a_thin_slot_is_counted_as_thin():
    monday_at_three_in_rome = pd.Timestamp("2024-11-04T02:00:00Z")
    found = find(readings(("rome", monday_at_three_in_rome, 999)))
    assert (found.scored, found.learning, found.thin) == (0, 0, 1)
    assert found.anomalies.empty


def test_no_readings_no_models_and_no_anomalies_give_empty_tables_of_the_same_types():
    at = weekday_noon(FIRST_END)
    some = find(readings(("rome", at, 999))).anomalies
    nothing = [
        find(readings()).anomalies,
        find(readings(("rome", at, 150))).anomalies,
        find_anomalies(readings(("rome", at, 999)), [], MODELS.__getitem__).anomalies,
        anomalies_from_messages([]),
    ]
    for anomalies in nothing:
        assert anomalies.empty
        assert anomalies.dtypes.equals(some.dtypes)


def test_an_id_is_16_hex_digits_and_differs_by_meter_time_and_version():
    at = weekday_noon(FIRST_END)
    ids = {
        anomaly_id("a", at, "v"),
        anomaly_id("b", at, "v"),
        anomaly_id("a", at + pd.Timedelta(1), "v"),
        anomaly_id("a", at, "w"),
    }
    assert len(ids) == 4
    assert all(len(i) == 16 and int(i, 16) >= 0 for i in ids)


def test_an_id_is_of_the_instant_whatever_its_zone_or_unit():
    at = weekday_noon(FIRST_END)
    same = {at, at.tz_convert("Europe/Rome"), at.as_unit("s")}
    assert len({anomaly_id("a", instant, "v") for instant in same}) == 1
    assert anomaly_id("a", at, "v") == "a0d4e7371e48254a"


@pytest.mark.parametrize(
    ("usage", "low", "high", "expected"),
    [
        (150, 100, 200, "low"),
        (100, 100, 200, "low"),
        (200, 100, 200, "low"),
        (200.1, 100, 200, "medium"),
        (300, 100, 200, "medium"),
        (300.1, 100, 200, "high"),
        (0, 100, 200, "medium"),
        (0, 150, 200, "high"),
        (508, 500, 500, "medium"),
        (511, 500, 500, "high"),
        (0, 0, 0, "low"),
        (1, 0, 0, "high"),
    ],
)
def test_severity_counts_in_widths_of_the_expected_range(usage, low, high, expected):
    column = [pd.Series([float(x)]) for x in (usage, low, high)]
    assert severity(*column).tolist() == [expected]


FALL_BACK = pd.Timestamp("2024-11-03T04:00:00Z")
SPRING_FORWARD = pd.Timestamp("2024-03-10T05:00:00Z")
kilowatts = st.floats(0, 1e8)
rows = st.lists(
    st.tuples(
        st.sampled_from(["rome", "delhi", "new", "Süd | 図書館", 'a "b" \\ c', "😀"]),
        st.sampled_from([FALL_BACK, SPRING_FORWARD, pd.Timestamp("2024-10-26T22:00:00Z")]),
        st.integers(0, 48 * 12).map(lambda n: pd.Timedelta(minutes=5 * n)),
        *(kilowatts, kilowatts, kilowatts, st.floats(0, 1)),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=30, deadline=None)
@given(rows)
def test_anomalies_come_back_from_their_messages_exactly(rows):
    anomalies = pd.DataFrame(
        [
            (f"{i:016x}", meter, day + after, *numbers, "medium", "v")
            for i, (meter, day, after, *numbers) in enumerate(rows)
        ],
        columns=ANOMALY_COLUMNS,
    ).astype({"event_time": "datetime64[ns, UTC]"})
    back = anomalies_from_messages(anomaly_messages(anomalies, REGISTRY))
    pd.testing.assert_frame_equal(back, anomalies, check_exact=True)


def test_a_message_is_json_with_the_meters_local_time_also_in_the_hour_that_comes_twice():
    hours = [FALL_BACK + pd.Timedelta(hours=n) for n in range(4)]
    anomalies = pd.DataFrame(
        [("id", "new", at, 1.0, 2.0, 3.0, 0.6, "high", "v") for at in hours],
        columns=ANOMALY_COLUMNS,
    )
    messages = [json.loads(m) for m in anomaly_messages(anomalies, REGISTRY)]
    assert [m["ts"] for m in messages] == [
        "2024-11-03T00:00:00-04:00",
        "2024-11-03T01:00:00-04:00",
        "2024-11-03T01:00:00-05:00",
        "2024-11-03T02:00:00-05:00",
    ]
    assert messages[0] == {
        "ts": "2024-11-03T00:00:00-04:00",
        "anomaly_id": "id",
        "meter": "new",
        "usage": 1.0,
        "expected_low": 2.0,
        "expected_high": 3.0,
        "score": 0.6,
        "severity": "high",
        "model_version": "v",
    }
