import json
import math
import warnings

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.anomalies.anomaly import (
    ANOMALY_COLUMNS,
    PUBLISHED,
    anomaly_id,
    anomaly_messages,
    explanation,
    find_anomalies,
    no_anomalies,
)
from usage_platform.core.anomalies.episodes import LastAnomaly
from usage_platform.core.anomalies.message_parsing import anomalies_from_messages
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform_tests.core.detector.made_models import (
    HIGH,
    LOW,
    NO_MODELS,
    cut_forests,
    model,
    readings,
    timeline_of,
)

REGISTRY = MeterRegistry(Meter(interval_minutes=60)).with_meters(
    [Meter("rome", "Europe/Rome", 60), Meter("delhi", "Asia/Kolkata", 60)]
)
FIRST = pd.Timestamp("2024-10-28T04:00:00Z")
SECOND = pd.Timestamp("2024-11-04T05:00:00Z")
HOUR = pd.Timedelta(hours=1)
THIN_SLOT = 3


def forests(*meters):
    return {name: cut_forests(REGISTRY.get(name), thin=THIN_SLOT) for name in meters}


JUDGES = timeline_of(
    model("first", FIRST, forests("rome")), model("second", SECOND, forests("rome", "delhi"))
)


def find(frame, timeline=JUDGES, **given):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return find_anomalies(frame, timeline, REGISTRY, **given)


def weekday_noon(begin):
    return begin + pd.Timedelta(days=1, hours=7)


readings_anywhere = st.lists(
    st.tuples(
        st.sampled_from(["rome", "delhi", "new"]),
        st.integers(-200, 400).map(lambda n: FIRST + n * HOUR),
        st.sampled_from([0.0, 99.9, 100.0, 150.0, 200.1, 500.0]),
    ),
    unique_by=lambda row: row[:2],
    max_size=15,
)


@settings(max_examples=30, deadline=None)
@given(readings_anywhere, st.randoms(use_true_random=False))
def test_each_reading_is_scored_or_learning_in_any_order(rows, random):
    found = find(readings(*rows))
    assert found.scored + found.learning == len(rows)
    assert len(found.anomalies) <= found.scored
    random.shuffle(rows)
    pd.testing.assert_frame_equal(find(readings(*rows)).anomalies, found.anomalies)


@settings(max_examples=25, deadline=None)
@given(readings_anywhere, st.integers(-200, 400))
def test_judging_from_an_instant_on_gives_the_rest_of_what_judging_all_gives(rows, cut):
    whole = find(readings(*rows))
    start = FIRST + cut * HOUR
    before = whole.anomalies[whole.anomalies["event_time"] < start]
    last = {
        row["meter"]: LastAnomaly(row["event_time"].value, row["episode"])
        for row in before.to_dict("records")
    }
    late = find(readings(*rows), start=start, last=last)
    expected = whole.anomalies[whole.anomalies["event_time"] >= start]
    pd.testing.assert_frame_equal(late.anomalies, expected.reset_index(drop=True))
    assert late.scored + late.learning == sum(at >= start for _, at, _ in rows)


def test_an_anomaly_tells_what_was_expected_and_who_judged():
    at = weekday_noon(FIRST)
    found = find(readings(("rome", at, 250.5), ("rome", at + HOUR, 150)))
    assert found.anomalies.columns.tolist() == ANOMALY_COLUMNS
    (row,) = found.anomalies.to_dict("records")
    assert {name for name, value in row.items() if value != value} == {"z", "z_short", "z_week"}
    assert {name: value for name, value in row.items() if value == value} == {
        "anomaly_id": anomaly_id("rome", at, "first"),
        "meter": "rome",
        "event_time": at,
        "usage": 250.5,
        "expected": 150.0,
        "expected_low": LOW,
        "expected_high": HIGH,
        "score": 1.4,
        "severity": "low",
        "kind": "spike",
        "direction": "above",
        "excess_kwh": 100.5,
        "episode": "2024-10-29T11:00Z",
        "explanation": "spike: 250.5 kW where 100 to 200 kW are expected, +100.5 kWh",
        "run": 0,
        "model_version": "first",
        "status": "told",
    }
    assert (found.scored, found.learning) == (2, 0)


def test_a_score_just_at_the_cut_is_no_anomaly():
    assert find(readings(("rome", weekday_noon(FIRST), 150))).anomalies.empty


def test_a_reading_is_judged_by_the_model_of_its_time():
    times = [FIRST - HOUR, FIRST, SECOND]
    found = find(readings(*(("rome", at, 999) for at in times)))
    assert found.anomalies["model_version"].tolist() == ["first", "second"]
    assert (found.scored, found.learning) == (2, 1)


def test_a_meter_that_its_model_does_not_know_is_learning():
    at = weekday_noon(FIRST)
    found = find(readings(("delhi", at, 999), ("new", at, 999), ("delhi", SECOND, 999)))
    assert found.anomalies["meter"].tolist() == ["delhi"]
    assert (found.scored, found.learning) == (1, 2)


def test_a_reading_in_a_slot_with_too_few_comparables_is_learning():
    monday_at_three_in_rome = pd.Timestamp("2024-11-04T02:00:00Z")
    found = find(readings(("rome", monday_at_three_in_rome, 999)))
    assert (found.scored, found.learning) == (0, 1)
    assert found.anomalies.empty


def test_no_readings_no_models_and_no_anomalies_give_empty_tables_of_the_same_types():
    at = weekday_noon(FIRST)
    some = find(readings(("rome", at, 999))).anomalies
    nothing = [
        find(readings()).anomalies,
        find(readings(("rome", at, 150))).anomalies,
        find(readings(("rome", at, 999)), NO_MODELS).anomalies,
        anomalies_from_messages([]),
    ]
    for anomalies in nothing:
        assert anomalies.empty
        assert anomalies.dtypes.equals(some.dtypes)


def test_an_id_is_16_hex_digits_and_differs_by_meter_time_and_version():
    at = weekday_noon(FIRST)
    ids = {
        anomaly_id("a", at, "v"),
        anomaly_id("b", at, "v"),
        anomaly_id("a", at + pd.Timedelta(1), "v"),
        anomaly_id("a", at, "w"),
    }
    assert len(ids) == 4
    assert all(len(i) == 16 and int(i, 16) >= 0 for i in ids)


def test_an_id_is_of_the_instant_whatever_its_zone_or_unit():
    at = weekday_noon(FIRST)
    same = {at, at.tz_convert("Europe/Rome"), at.as_unit("s")}
    assert len({anomaly_id("a", instant, "v") for instant in same}) == 1
    assert anomaly_id("a", at, "v") == "a0d4e7371e48254a"


def said(**other):
    row = {
        "kind": "spike",
        "usage": 511.04,
        "expected": 300.0,
        "expected_low": 250.4,
        "expected_high": 349.6,
        "excess_kwh": 17.58,
        "run": 1,
    }
    return explanation({**row, **other}, Meter())


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({}, "spike: 511.0 kW where 250 to 350 kW are expected, +17.6 kWh"),
        (
            {"kind": "night_load", "excess_kwh": -3.0},
            "night load: 511.0 kW where 250 to 350 kW are expected, -3.0 kWh",
        ),
        (
            {"kind": "stuck", "run": 18},
            "the meter has read 511.0 kW for 1.5 h without a change",
        ),
        (
            {"kind": "gross", "expected": math.nan},
            "511.0 kW, while nothing is known yet of what to expect",
        ),
    ],
)
def test_an_anomaly_is_explained_in_a_sentence(row, words):
    assert said(**row) == words


FALL_BACK = pd.Timestamp("2024-11-03T04:00:00Z")
SPRING_FORWARD = pd.Timestamp("2024-03-10T05:00:00Z")


def row_of(at, meter="new", **given):
    row = dict.fromkeys(ANOMALY_COLUMNS, "text")
    row |= dict.fromkeys(no_anomalies().select_dtypes("float64"))
    row |= {"score": 1.5, "severity": "high", "episode": "2024-11-03T04:00Z"}
    return {**row, "meter": meter, "event_time": at, "run": 3, "status": PUBLISHED, **given}


def table(*rows):
    return pd.DataFrame(rows, columns=ANOMALY_COLUMNS).astype(no_anomalies().dtypes.to_dict())


kilowatts = st.none() | st.floats(-1e8, 1e8)
rows = st.lists(
    st.builds(
        row_of,
        st.builds(
            lambda day, n: day + n * pd.Timedelta(minutes=5),
            st.sampled_from([FALL_BACK, SPRING_FORWARD, pd.Timestamp("2024-10-26T22:00:00Z")]),
            st.integers(0, 48 * 12),
        ),
        st.sampled_from(["rome", "delhi", "new", "Süd | 図書館", 'a "b" \\ c', "😀"]),
        usage=kilowatts,
        expected=kilowatts,
        z_week=kilowatts,
        run=st.integers(0, 8064),
        status=st.sampled_from(["told", "withdrawn"]),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=30, deadline=None)
@given(rows)
def test_anomalies_come_back_from_their_messages_exactly(rows):
    anomalies = table(*rows)
    back = anomalies_from_messages(anomaly_messages(anomalies, REGISTRY))
    pd.testing.assert_frame_equal(back, anomalies, check_exact=True)


def test_a_message_is_json_with_the_meters_local_time_also_in_the_hour_that_comes_twice():
    anomalies = table(*(row_of(FALL_BACK + n * HOUR) for n in range(4)))
    messages = [json.loads(m) for m in anomaly_messages(anomalies, REGISTRY)]
    assert [m["ts"] for m in messages] == [
        "2024-11-03T00:00:00-04:00",
        "2024-11-03T01:00:00-04:00",
        "2024-11-03T01:00:00-05:00",
        "2024-11-03T02:00:00-05:00",
    ]
    assert set(messages[0]) == {"ts", *ANOMALY_COLUMNS} - {"event_time"}
    assert messages[0]["z"] is None


def test_a_message_of_the_platforms_first_version_can_still_be_read():
    old = {
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
    back = anomalies_from_messages([json.dumps(old).encode()])
    assert back.dtypes.equals(no_anomalies().dtypes)
    kept = ["event_time", "status", "run", "episode", "kind"]
    assert back.loc[0, kept].tolist() == [FALL_BACK, PUBLISHED, 0, "2024-11-03T04:00Z", ""]
