import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.limits import EventLimits
from usage_platform.core.measurement import Sign
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.messages import parse_usage, usage_messages
from usage_platform.core.readings.reject_reasons import Reason

REGISTRY = MeterRegistry().with_meters(
    [Meter("rome", "Europe/Rome", 15), Meter("delhi", "Asia/Kolkata", 60)]
)
NOW = pd.Timestamp("2025-01-01", tz="UTC")
GOOD_TS = "2024-03-05T13:05:00-05:00"
DTYPES = ["object", "datetime64[ns, UTC]", "float64", "object"]


CODES = {reason.code for reason in Reason}


def parse(*values, now=NOW, key=None, registry=REGISTRY):
    received = pd.Series([now] * len(values), dtype="datetime64[ns, UTC]")
    return parse_usage(values, [key] * len(values), received, registry)


def event(ts=GOOD_TS, value=1.0, **more):
    return json.dumps({"ts": ts, "value": value, **more}).encode()


def code(text):
    return None if text is None else text.partition(":")[0]


def reason_of(raw, now=NOW, **more):
    return parse(raw, now=now, **more)["reason"].item()


NETTED = MeterRegistry().with_meters([Meter("roof", sign=Sign.NET)])


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (event(value=-0.1, meter="roof"), None),
        (event(value=-1e8, meter="roof"), None),
        (event(value=-1e11, unit="W", meter="roof"), None),
        (event(value=-1.1e8, meter="roof"), Reason.TOO_LARGE),
        (event(value=-0.1, meter="hall"), Reason.NEGATIVE),
        (event(value=-0.1), Reason.NEGATIVE),
        (event(value=-0.0), None),
    ],
)
def test_only_of_a_net_meter_a_value_below_0_is_a_reading(raw, reason):
    assert reason_of(raw, registry=NETTED) == reason


names = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=12)
intervals = st.integers(3_155_616, 20_000_000)  # of five minutes, from 2000 on
powers = st.floats(0, 1e8)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(names, intervals, powers), max_size=8))
def test_what_is_written_is_read_back_exactly(rows):
    frame = pd.DataFrame(rows, columns=["meter", "ts", "value"])
    frame["ts"] = pd.to_datetime(frame["ts"] * 300, unit="s", utc=True).astype(
        "datetime64[ns, UTC]"
    )
    read = parse_usage(usage_messages(frame), [None] * len(frame), frame["ts"], REGISTRY)
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
    st.none() | st.integers() | st.floats() | st.integers(946_684_800, 1_735_689_600),
)
meters = st.sampled_from(["rome", "delhi", "new", "", " ", "\ud800", "a\nb", "x" * 300, None, 1])
values = st.one_of(
    st.floats(), st.integers(), st.sampled_from([10**400, -0.0, True, "1", None, [1], {"a": 1}])
)
units = st.sampled_from(["W", "kW", "MW", "kWh", "", None, 1])
events = st.one_of(
    st.fixed_dictionaries(
        {}, optional={"meter": meters, "ts": times, "value": values, "unit": units}
    ).map(lambda e: json.dumps(e).encode()),
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
    assert read.loc[good, "event_time"].between("2000-01-01", NOW + pd.Timedelta("5min")).all()
    assert {code(text) for text in read.loc[~good, "reason"]} <= CODES
    assert not read.loc[~good, "reason"].str.contains("{", regex=False).any()
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
    read = parse(None, b"x", event(None))
    assert read["reason"].tolist() == [Reason.EMPTY, Reason.NOT_JSON, Reason.TYPE_TS]
    assert [str(t) for t in read.dtypes] == DTYPES


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, Reason.EMPTY),
        (b"", Reason.EMPTY),
        (b" \r\n", Reason.EMPTY),
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
        (b"[]", Reason.NOT_AN_OBJECT),
        (b"1", Reason.NOT_AN_OBJECT),
        (b"null", Reason.NOT_AN_OBJECT),
        (b"NaN", Reason.NOT_AN_OBJECT),
        (b'{"value": 1}', Reason.MISSING_TS),
        (b'{"ts": "2024-03-05T13:05:00Z"}', Reason.MISSING_VALUE),
        (event(ts=True), Reason.TYPE_TS),
        (event(ts=[1709661900]), Reason.TYPE_TS),
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


def test_an_event_without_a_meter_is_of_the_default_one():
    assert parse(event())["meter"].item() == "central-library"


def test_of_a_key_that_comes_twice_the_last_counts():
    raw = b'{"ts": "2024-03-05T13:05:00Z", "value": "x", "value": 2}'
    assert parse(raw)["value"].item() == 2


def test_the_key_names_the_meter_where_the_value_does_not():
    assert parse(event(), key=b"m\xc3\xbcnchen")["meter"].item() == "münchen"
    assert parse(event(meter="named"), key=b"other")["meter"].item() == "named"
    assert parse(event(), key=b"")["meter"].item() == "central-library"


@pytest.mark.parametrize(
    "key",
    [b"\xff", b"\x00\x00\x00\x07", b" ", b"x" * 201, b'"rome"', b'{"id":1}', b"[1]", b' {"id":1}'],
)
def test_a_key_that_is_no_name_is_refused_unless_the_value_names_the_meter(key):
    assert reason_of(event(), key=key) == Reason.TYPE_KEY
    assert reason_of(event(meter="named"), key=key) is None


@pytest.mark.parametrize(
    ("unit", "kw"), [("W", 0.5), ("kW", 500.0), ("MW", 500_000.0), (None, Reason.UNKNOWN_UNIT)]
)
def test_the_unit_of_an_event_is_honoured(unit, kw):
    row = parse(event(value=500, unit=unit)).iloc[0]
    assert (row["value"] if row["reason"] is None else row["reason"]) == kw


@pytest.mark.parametrize("unit", ["kWh", "Wh", "mW", "kw", "", "GW", 1, ["kW"], {"a": 1}])
def test_a_unit_that_is_no_power_or_could_mean_another_is_refused(unit):
    assert reason_of(event(unit=unit)) == Reason.UNKNOWN_UNIT


@pytest.mark.parametrize("name", ["units", "Unit", "uom", "unit_of_measurement", "unitOfMeasure"])
def test_a_unit_under_another_name_is_not_passed_over(name):
    assert reason_of(event(value=871, **{name: "W"})) == Reason.MISNAMED_UNIT
    assert reason_of(event(value=871, **{name: "kWh"})) == Reason.MISNAMED_UNIT
    assert reason_of(event(value=871, **{name: "kW"})) is None
    assert parse(event(value=871, unit="W", **{name: "kW"}))["value"].item() == 0.871


def test_a_meter_in_capitals_is_not_the_default_one():
    assert reason_of(event(Meter="rome")) == Reason.MISNAMED_METER
    assert parse(event(METER="rome"), key=b"delhi")["meter"].item() == "delhi"
    assert parse(event(Meter="rome", meter="delhi"))["meter"].item() == "delhi"


def test_the_largest_power_is_the_same_in_each_unit():
    assert reason_of(event(value=1e11, unit="W")) is None
    assert reason_of(event(value=1e5, unit="MW")) is None
    assert reason_of(event(value=1.001e11, unit="W")) == Reason.TOO_LARGE
    assert reason_of(event(value=1e308, unit="MW")) == Reason.NOT_FINITE


def test_an_envelope_of_kafka_connect_is_opened():
    payload = json.loads(event(1709661900000, 3, meter="named"))
    fields = [
        {"type": "string", "optional": False, "field": "meter"},
        {"type": "int64", "name": "org.apache.kafka.connect.data.Timestamp", "field": "ts"},
        {"type": "double", "optional": False, "field": "value"},
    ]
    schema = {"type": "struct", "fields": fields, "optional": False, "name": "reading"}
    for one in (schema, None):
        row = parse(json.dumps({"schema": one, "payload": payload}).encode()).iloc[0]
        assert (row["meter"], row["value"], row["reason"]) == ("named", 3, None)
        assert row["event_time"] == pd.Timestamp("2024-03-05T18:05Z")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [(None, Reason.EMPTY), ([], Reason.NOT_AN_OBJECT), ({"value": 1}, Reason.MISSING_TS)],
)
def test_what_an_envelope_holds_gets_its_own_reason(payload, reason):
    assert reason_of(json.dumps({"schema": None, "payload": payload}).encode()) == reason


def test_an_object_with_more_than_an_envelope_has_is_an_event():
    raw = event(schema=1, payload={"ts": "x"})
    assert reason_of(raw) is None


def test_a_limit_that_is_set_holds_to_the_byte_and_is_named():
    largest = event(more="x" * 5_000)
    registry = replace(REGISTRY, limits=EventLimits(event_bytes=len(largest)))
    assert reason_of(largest, registry=registry) is None
    refused = reason_of(event(more="x" * 5_001), registry=registry)
    assert refused.startswith(f"message_too_large: expected at most {len(largest):,} bytes (USAGE_")
    assert code(reason_of(b"[" * 4_001)) == "message_too_large"


def test_other_fields_and_blanks_around_the_object_do_no_harm():
    raw = b" \r\n" + event(value=3, unit="kW", tags=[{"a": [1]}]) + b"\n"
    assert parse(raw)["value"].item() == 3


def test_minus_zero_becomes_zero_so_that_equal_readings_have_equal_bits():
    assert not np.signbit(parse(event(value=-0.0))["value"].item())
