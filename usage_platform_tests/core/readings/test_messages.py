import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.messages import Reason, parse_usage, usage_messages

REGISTRY = MeterRegistry().with_meters(
    [Meter("rome", "Europe/Rome", 15), Meter("delhi", "Asia/Kolkata", 60)]
)
NOW = pd.Timestamp("2025-01-01", tz="UTC")
GOOD_TS = "2024-03-05T13:05:00-05:00"
DTYPES = ["object", "datetime64[ns, UTC]", "float64", "object"]


def parse(*values, now=NOW):
    received = pd.Series([now] * len(values), dtype="datetime64[ns, UTC]")
    return parse_usage(values, received, REGISTRY)


def event(ts=GOOD_TS, value=1.0, **more):
    return json.dumps({"ts": ts, "value": value, **more}).encode()


def reason_of(raw, now=NOW):
    return parse(raw, now=now)["reason"].item()


def instant_of(ts, meter="central-library"):
    row = parse(event(ts, meter=meter)).iloc[0]
    assert row["reason"] is None
    return row["event_time"]


names = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=12)
seconds = st.integers(0, 6_000_000_000)
powers = st.floats(0, 1e8)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(names, seconds, powers), max_size=8))
def test_what_is_written_is_read_back_exactly(rows):
    frame = pd.DataFrame(rows, columns=["meter", "ts", "value"])
    frame["ts"] = pd.to_datetime(frame["ts"], unit="s", utc=True).astype("datetime64[ns, UTC]")
    read = parse_usage(usage_messages(frame), frame["ts"], REGISTRY)
    assert read["reason"].isna().all()
    assert read["meter"].tolist() == frame["meter"].tolist()
    assert read["event_time"].tolist() == frame["ts"].tolist()
    assert read["value"].tolist() == frame["value"].tolist()


times = st.one_of(
    st.sampled_from(
        [
            *(GOOD_TS, "2024-03-05 13:05:00", "2024-03-10 02:30:00", "2024-11-03 01:30"),
            *("2024-10-27 02:30:00", "2099-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "NaT", "now"),
            *("2262-04-11 23:47:16", "1677-09-21 00:12:44", "2024-02-30T00:00:00Z", "\ud800"),
        ]
    ),
    st.datetimes().map(lambda t: t.isoformat()),
    st.text(max_size=5),
    st.none() | st.integers(),
)
meters = st.sampled_from(["rome", "delhi", "new", "", " ", "\ud800", "a\nb", "x" * 300, None, 1])
values = st.one_of(
    st.floats(), st.integers(), st.sampled_from([10**400, -0.0, True, "1", None, [1], {"a": 1}])
)
events = st.one_of(
    st.fixed_dictionaries({}, optional={"meter": meters, "ts": times, "value": values}).map(
        lambda e: json.dumps(e).encode()
    ),
    st.builds(event, ts=times),
    st.binary(max_size=20) | st.none(),
    st.sampled_from([b"", b"{", b"[]", b"1 2", b"null", b"[" * 99_999]),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(events, max_size=6))
def test_every_event_gets_a_reading_or_a_reason_and_the_columns_keep_their_types(batch):
    read = parse(*batch)
    assert len(read) == len(batch)
    assert [str(t) for t in read.dtypes] == DTYPES
    good = read["reason"].isna()
    assert read.loc[good].notna().drop(columns="reason").all(axis=None)
    assert read.loc[good, "value"].between(0, 1e8).all()
    assert read.loc[good, "event_time"].between("1970-01-01", NOW + pd.Timedelta("5min")).all()
    assert set(read.loc[~good, "reason"]) <= {reason.value for reason in Reason}
    assert all(type(r) is str for r in read.loc[~good, "reason"])
    "".join(read["meter"].dropna()).encode()


@settings(max_examples=40, deadline=None)
@given(st.lists(events, min_size=1, max_size=6), st.integers(0, 6))
def test_what_is_read_does_not_depend_on_how_events_are_split_into_batches(batch, cut):
    halves = [parse(*part) for part in (batch[:cut], batch[cut:]) if part]
    pd.testing.assert_frame_equal(pd.concat(halves, ignore_index=True), parse(*batch))


def test_no_events_give_no_rows_of_the_same_types():
    read = parse()
    assert read.empty
    assert [str(t) for t in read.dtypes] == DTYPES


def test_a_batch_of_rejects_only_keeps_its_types():
    read = parse(None, b"x", event(1))
    assert read["reason"].tolist() == [Reason.EMPTY, Reason.NOT_JSON, Reason.TYPE_TS]
    assert [str(t) for t in read.dtypes] == DTYPES


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, Reason.EMPTY),
        (b"", Reason.NOT_JSON),
        (b"not json", Reason.NOT_JSON),
        (b'{"ts": "2024-03-05T13:05:00Z", "value": 1', Reason.NOT_JSON),
        (event() + event(), Reason.NOT_JSON),
        (event() + b"x", Reason.NOT_JSON),
        (b'{"ts": "2024-03-05T13:05:00Z", "value": 1, "x": "\xff"}', Reason.NOT_JSON),
        (b'{"ts": "2024-03-05T13:05:00Z", "value": 1, "x": "\xed\xa0\x80"}', Reason.NOT_JSON),
        (event().decode().encode("utf-16"), Reason.NOT_JSON),
        (b"\xef\xbb\xbf" + event(), Reason.NOT_JSON),
        (b"[" * 4_000, Reason.TOO_NESTED),
        (b'{"a":' * 800, Reason.TOO_NESTED),
        (b"[" * 4_001, Reason.MESSAGE_TOO_LARGE),
        (event(more="x" * 4_000), Reason.MESSAGE_TOO_LARGE),
        (b"[]", Reason.NOT_AN_OBJECT),
        (b"1", Reason.NOT_AN_OBJECT),
        (b"null", Reason.NOT_AN_OBJECT),
        (b"NaN", Reason.NOT_AN_OBJECT),
        (b'{"value": 1}', Reason.MISSING_TS),
        (b'{"ts": "2024-03-05T13:05:00Z"}', Reason.MISSING_VALUE),
        (event(ts=1709661900), Reason.TYPE_TS),
        (event(ts=None), Reason.TYPE_TS),
        (event(value="871.2"), Reason.TYPE_VALUE),
        (event(value=True), Reason.TYPE_VALUE),
        (event(value=None), Reason.TYPE_VALUE),
        (event(value=[1]), Reason.TYPE_VALUE),
        (event(value=float("nan")), Reason.NOT_FINITE),
        (event(value=float("-inf")), Reason.NOT_FINITE),
        (event(value=10**400), Reason.NOT_FINITE),
        (b'{"ts": "x", "value": 1e999}', Reason.NOT_FINITE),
        (b'{"ts": "x", "value": ' + b"9" * 3_900 + b"}", Reason.NOT_FINITE),
        (event(value=-0.1), Reason.NEGATIVE),
        (event(value=1e20), Reason.TOO_LARGE),
        (event(value=np.nextafter(1e8, 1e9)), Reason.TOO_LARGE),
        (event(meter=""), Reason.TYPE_METER),
        (event(meter=" \t"), Reason.TYPE_METER),
        (event(meter=None), Reason.TYPE_METER),
        (event(meter=7), Reason.TYPE_METER),
        (event(meter="a\x00b"), Reason.TYPE_METER),
        (event(meter="x" * 201), Reason.TYPE_METER),
    ],
)
def test_a_malformed_event_gets_its_reason(raw, reason):
    assert reason_of(raw) == reason


def test_half_a_surrogate_pair_in_a_meter_is_refused_as_no_table_can_hold_it():
    row = parse(event(meter="\ud800")).iloc[0]
    assert row["reason"] == Reason.TYPE_METER
    assert row["meter"] is None


@pytest.mark.parametrize(
    "ts",
    [
        *("", "NaT", "now", "today", "2024-03-05", "2024-03-05T13", "13:05:00", "20240305T130500Z"),
        *("2024-W10-2T13:05:00Z", "2024-03-05T13:05:00z", "2024-03-05T13:05:00 -05:00"),
        *("2024-03-05T13:05:00-0500", "2024-03-05T13:05:00-05", "2024-03-05T13:05:00+05:75"),
        *("2024-03-05T13:05:00+24:00", "2024-02-30T00:00:00Z", "2024-13-01T00:00:00Z"),
        *("2024-03-05T24:00:00Z", "2024-03-05T13:60:00Z", "2024-03-05T13:05:60Z"),
        *("2024-03-05T13:05:00.1234567Z", "2024-03-05T13:05:00,5Z", " 2024-03-05T13:05:00Z"),
        *("2024-03-05T13:05:00Z\n", "٢٠٢٤-03-05T13:05:00Z", "0000-01-01T00:00:00Z"),
        *("1969-12-31T23:59:59Z", "1970-01-01T00:00:00+00:01", "1677-09-21 00:12:44"),
        *("2262-04-11 23:47:16", "9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00"),
        *("2024-03-05T13:05:00[America/New_York]", "5/3/2024 13:05", "1709661900", "\ud800"),
    ],
)
def test_a_time_in_another_form_or_out_of_range_is_unreadable(ts):
    assert reason_of(event(ts)) == Reason.UNREADABLE_TIME


@pytest.mark.parametrize(
    ("ts", "instant"),
    [
        ("2024-03-05T13:05:00-05:00", "2024-03-05T18:05Z"),
        ("2024-03-05 13:05:00", "2024-03-05T18:05Z"),
        ("2024-07-05 13:05", "2024-07-05T17:05Z"),
        ("2024-03-05T13:05:00Z", "2024-03-05T13:05Z"),
        ("2024-03-05T13:05Z", "2024-03-05T13:05Z"),
        ("2024-03-05 13:05:00.5+05:30", "2024-03-05T07:35:00.5Z"),
        ("2024-03-05T13:05:00.123456-00:00", "2024-03-05T13:05:00.123456Z"),
        ("1969-12-31T19:00:00-05:00", "1970-01-01T00:00Z"),
    ],
)
def test_a_time_is_read_in_its_offset_or_else_on_the_meters_clock(ts, instant):
    assert instant_of(ts) == pd.Timestamp(instant)


def test_a_naive_time_is_on_the_clock_of_its_own_meter():
    assert instant_of("2024-07-05 13:05:00", "rome") == pd.Timestamp("2024-07-05T11:05Z")
    assert instant_of("2024-07-05 13:05:00", "delhi") == pd.Timestamp("2024-07-05T07:35Z")
    assert instant_of("2024-07-05 13:05:00", "unknown") == pd.Timestamp("2024-07-05T17:05Z")


def test_an_event_without_a_meter_is_of_the_default_one():
    assert parse(event())["meter"].item() == "central-library"


def test_a_naive_time_that_the_clock_skips_or_gives_twice_is_refused_and_its_neighbours_are_not():
    naive = ["01:55", "02:00", "02:55", "03:00"]
    spring = parse(*(event(f"2024-03-10 {t}:00") for t in naive))
    assert spring["reason"].tolist() == [None, *[Reason.NONEXISTENT_TIME] * 2, None]
    naive = ["00:55", "01:00", "01:55", "02:00"]
    autumn = parse(*(event(f"2024-11-03 {t}:00") for t in naive))
    assert autumn["reason"].tolist() == [None, *[Reason.AMBIGUOUS_TIME] * 2, None]


def test_a_clock_change_is_that_of_the_events_own_zone():
    at = "2024-10-27 02:30:00"
    read = parse(event(at, meter="rome"), event(at, meter="delhi"), event(at))
    assert read["reason"].tolist() == [Reason.AMBIGUOUS_TIME, None, None]


def test_both_hours_of_the_change_are_read_when_they_carry_an_offset():
    first, second = "2024-11-03T01:30:00-04:00", "2024-11-03T01:30:00-05:00"
    assert instant_of(second) - instant_of(first) == pd.Timedelta(hours=1)


def test_five_minutes_after_the_broker_is_taken_and_a_moment_more_is_refused():
    now = pd.Timestamp("2024-03-05T13:00:00Z")
    assert reason_of(event("2024-03-05T13:05:00Z"), now) is None
    assert reason_of(event("2024-03-05T13:05:00.000001Z"), now) == Reason.FUTURE_TIME
    assert reason_of(event("2024-03-05 08:05:00"), now) is None
    assert reason_of(event("2024-03-05 08:05:01"), now) == Reason.FUTURE_TIME


def test_each_event_is_measured_by_its_own_time_of_receipt():
    received = pd.Series(pd.to_datetime(["2024-01-01", "2025-01-01"], utc=True), index=[7, 7])
    read = parse_usage([event(), event()], received, REGISTRY)
    assert read["reason"].tolist() == [Reason.FUTURE_TIME, None]


def test_of_a_key_that_comes_twice_the_last_counts():
    raw = b'{"ts": "2024-03-05T13:05:00Z", "value": "x", "value": 2}'
    assert parse(raw)["value"].item() == 2


def test_other_fields_and_blanks_around_the_object_do_no_harm():
    raw = b" \r\n" + event(value=3, unit="kW", tags=[{"a": [1]}]) + b"\n"
    assert parse(raw)["value"].item() == 3


def test_minus_zero_becomes_zero_so_that_equal_readings_have_equal_bits():
    assert not np.signbit(parse(event(value=-0.0))["value"].item())
