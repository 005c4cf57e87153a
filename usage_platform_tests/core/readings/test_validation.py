import json
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.validation import (
    RAW_COLUMNS,
    READING_COLUMNS,
    REJECT_COLUMNS,
    newest_per_reading,
    touched_hours,
    validate_events,
    with_intervals,
)

REGISTRY = MeterRegistry().with_meters([Meter("hourly", interval_minutes=60)])
RECEIVED = pd.Timestamp("2024-06-01T12:00:00Z")
TS = pd.Timestamp("2024-03-05T13:05:00Z")
GOOD = b'{"meter": "a", "ts": "2024-03-05T13:05:00Z", "value": 1.5}'


def raw(*values, partition=0, received=RECEIVED):
    rows = [
        ("usage", partition, offset, received, None, value) for offset, value in enumerate(values)
    ]
    frame = pd.DataFrame(rows, columns=RAW_COLUMNS)
    return frame.astype(
        {"partition": int, "offset": int, "kafka_time": "datetime64[ns, UTC]", "value": object}
    )


def readings(*rows):
    frame = pd.DataFrame(rows, columns=READING_COLUMNS)
    instant = "datetime64[ns, UTC]"
    return frame.astype({"event_time": instant, "kafka_time": instant, "value": "float64"})


def reading(meter="a", event_time=TS, value=1.0, kafka_time=RECEIVED, partition=0, offset=0):
    return (meter, event_time, value, kafka_time, partition, offset)


@st.composite
def appended(draw):
    """Readings as the broker may hold them: each place on the topic once."""
    places = draw(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4)), unique=True))
    return [
        reading(
            draw(st.sampled_from("ab")),
            TS + pd.Timedelta(minutes=5 * draw(st.integers(0, 1))),
            draw(st.floats(0, 9)),
            RECEIVED + pd.Timedelta(milliseconds=draw(st.integers(0, 1))),
            partition,
            offset,
        )
        for partition, offset in places
    ]


def test_a_batch_is_split_into_readings_and_rejects_with_their_places():
    batch = validate_events(raw(GOOD, b"x", None), REGISTRY)
    expected = readings(reading(value=1.5))
    pd.testing.assert_frame_equal(batch.readings, expected)
    assert batch.rejects.columns.tolist() == REJECT_COLUMNS
    assert batch.rejects["offset"].tolist() == [1, 2]
    assert batch.rejects["reason"].tolist() == ["not_json", "empty"]
    assert batch.rejects["detail"].tolist()[0] == "expected a JSON object in UTF-8"


def test_a_reject_keeps_its_bytes_and_the_meter_if_that_was_readable():
    odd = b'{"meter": "b", "ts": "x", "value": 1}\xff'
    known = b'{"meter": "b", "ts": "x", "value": 1}'
    rejects = validate_events(raw(odd, known, None), REGISTRY).rejects
    assert rejects["raw"].tolist() == [odd, known, None]
    assert rejects["meter"].tolist() == [None, "b", None]


@pytest.mark.parametrize(
    "name", ["caf\u00e9  rome", " caf\u00e9 rome", "cafe\u0301 rome", "caf\u00e9 rome  ", " hourly"]
)
def test_a_name_that_looks_like_that_of_a_known_meter_is_no_new_meter(name):
    registry = REGISTRY.with_meters([Meter("caf\u00e9 rome", "Europe/Rome", 15)])
    event = json.dumps({"meter": name, "ts": "2024-03-05T13:00:00", "value": 1})
    plain = GOOD.replace(b'"a"', json.dumps(name, ensure_ascii=False).encode())
    batch = validate_events(raw(event.encode(), plain, GOOD), registry)
    assert batch.rejects["reason"].tolist() == ["similar_meter"] * 2
    assert batch.readings["meter"].tolist() == ["a"]
    described = registry.with_meters([Meter(name)])
    assert validate_events(raw(event.encode()), described).rejects.empty
    limits = replace(registry.limits, allowed_meters=frozenset({name}))
    assert validate_events(raw(event.encode()), replace(registry, limits=limits)).rejects.empty


def test_of_events_that_say_the_same_the_last_one_is_the_reading():
    batch = validate_events(raw(GOOD, GOOD, b"x", GOOD), REGISTRY)
    assert (len(batch.readings), len(batch.rejects)) == (1, 1)
    assert batch.readings["offset"].item() == 3


def test_a_batch_of_readings_only_rejects_only_or_nothing_has_the_same_columns_and_types():
    mixed = validate_events(raw(GOOD, b"x"), REGISTRY)
    for values in [(GOOD,), (b"x",), ()]:
        batch = validate_events(raw(*values), REGISTRY)
        assert batch.readings.dtypes.equals(mixed.readings.dtypes)
        assert batch.rejects.dtypes.equals(mixed.rejects.dtypes)


def test_the_index_of_the_raw_frame_does_not_matter():
    frame = raw(GOOD, b"x", GOOD)
    batch = validate_events(frame.set_axis([5, 5, 5]), REGISTRY)
    assert batch.readings["offset"].tolist() == [2]
    assert batch.rejects["offset"].tolist() == [1]


events = st.sampled_from(
    [
        json.dumps({"meter": meter, "ts": f"2024-03-05T13:{minute}:00Z", "value": value}).encode()
        for meter in "ab"
        for minute in ("05", "10")
        for value in (1, 2, -1)
    ]
    + [None, b"x"]
)


@settings(max_examples=25, deadline=None)
@given(st.lists(events, max_size=8), st.randoms(use_true_random=False))
def test_the_order_and_the_repetition_of_events_change_nothing(values, random):
    frame = raw(*values)
    rows = list(range(len(frame))) * 2
    random.shuffle(rows)
    once, again = validate_events(frame, REGISTRY), validate_events(frame.iloc[rows], REGISTRY)
    pd.testing.assert_frame_equal(again.readings, once.readings)
    rejects = again.rejects.drop_duplicates(["partition", "offset"]).sort_values("offset")
    pd.testing.assert_frame_equal(rejects.reset_index(drop=True), once.rejects)


@settings(max_examples=40, deadline=None)
@given(appended(), st.randoms(use_true_random=False), st.integers(0, 10))
def test_the_newest_reading_is_the_same_in_any_order_and_any_grouping(rows, random, cut):
    newest = newest_per_reading(readings(*rows))
    shuffled = random.sample(rows, len(rows)) * 2
    pd.testing.assert_frame_equal(newest_per_reading(readings(*shuffled)), newest)
    first = newest_per_reading(readings(*shuffled[:cut]))
    rest = [tuple(row) for row in first.itertuples(index=False)] + shuffled[cut:]
    pd.testing.assert_frame_equal(newest_per_reading(readings(*rest)), newest)


def test_the_broker_time_decides_then_the_offset_then_the_partition():
    later = RECEIVED + pd.Timedelta(milliseconds=1)
    rows = [
        reading(value=1, kafka_time=RECEIVED, partition=9, offset=9),
        reading(value=2, kafka_time=later, partition=9, offset=4),
        reading(value=3, kafka_time=later, partition=0, offset=5),
        reading(value=4, kafka_time=later, partition=1, offset=5),
    ]
    for length in range(1, 5):
        newest = newest_per_reading(readings(*reversed(rows[:length])))
        assert newest["value"].tolist() == [length]


def test_touched_hours_are_whole_utc_hours_of_each_meter_once():
    rows = [
        reading("hourly", TS),
        *(reading("a", TS + pd.Timedelta(minutes=m)) for m in (0, 5, 54, 55)),
    ]
    hours = touched_hours(readings(*rows), REGISTRY)
    start = TS.floor("h")
    assert hours.to_dict("records") == [
        {"meter": "hourly", "start": start, "interval_minutes": 60, "unit": "kW"},
        {"meter": "a", "start": start, "interval_minutes": 5, "unit": "kW"},
        {"meter": "a", "start": start + pd.Timedelta(hours=1), "interval_minutes": 5, "unit": "kW"},
    ]


def test_no_hours_get_no_intervals_of_the_same_type():
    none = touched_hours(readings(), REGISTRY)
    assert none.empty
    assert with_intervals(none, REGISTRY)["interval_minutes"].dtype == "int32"
