"""One sample by itself: what devices send, and what is said of what cannot be read."""

import pandas as pd
import pytest

from usage_platform.core.limits import EventLimits
from usage_platform.core.measurement import Sign
from usage_platform.core.meter_descriptions.description import sample_descriptions
from usage_platform.core.meter_descriptions.parsing import (
    described_meter,
    parse_descriptions,
    written_fields,
)
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.samples.parsing import SampleMessage, parse_samples

RECEIVED = pd.Timestamp("2024-03-05T18:05:10Z")
TASMOTA = {
    "path": "$.ENERGY.Total",
    "time_path": "$.Time",
    "quantity": "register",
    "unit": "kWh",
}
TELEGRAM = {
    "path": ["$.import_t1_kwh", "$['import t2'][0]"],
    "quantity": "register",
    "unit": "kWh",
}
REGISTRY = MeterRegistry(
    known={"plug": Meter("plug", "America/New_York", 5)},
    limits=EventLimits(event_bytes=1000, allowed_meters=frozenset({"plug", "p1", "bare", "new"})),
)
BARE = {"path": "$", "quantity": "power", "unit": "W"}
DESCRIBED = [("plug", TASMOTA), ("p1", TELEGRAM), ("bare", BARE)]
BOOK = sample_descriptions(
    parse_descriptions(
        {"meters": [{"name": "file"}, *({"name": n, "samples": s} for n, s in DESCRIBED)]}
    )
)


def parse(key, value, collected=None, received=RECEIVED):
    at = int(received.timestamp() * 1000)
    [meter], [ns], [kw], [reason] = vars(
        parse_samples([SampleMessage(key, value, at, collected)], BOOK, REGISTRY)
    ).values()
    return meter, pd.Timestamp(ns, tz="UTC"), kw, reason


def reason_of(key, value, received=RECEIVED):
    return parse(key, value, received=received)[3]


def test_devices_send_json_with_numbers_text_lists_and_bare_values():
    plug = b'{"Time": "2024-03-05T13:05:07", "ENERGY": {"Total": 123.456, "Power": 80}}'
    assert parse(b"plug", plug) == ("plug", pd.Timestamp("2024-03-05T18:05:07Z"), 123.456, None)
    telegram = b'{"meter": {"id": 1}, "import_t1_kwh": "000100.500", "import t2": [2]}'
    assert parse(b"p1", telegram) == ("p1", RECEIVED, 102.5, None)
    assert parse(b"bare", b" 230.5\n") == ("bare", RECEIVED, 230.5, None)
    epoch = b'{"Time": 1709661907, "ENERGY": {"Total": 1}}'
    assert parse(b"plug", epoch)[1] == pd.Timestamp("2024-03-05T18:05:07Z")


def test_the_field_meter_names_it_where_there_is_no_key():
    assert parse(None, b'{"meter": "p1", "import_t1_kwh": 1, "import t2": [2]}')[0] == "p1"
    assert parse(b"p1", b'{"meter": "bare", "import_t1_kwh": 1, "import t2": [2]}')[0] == "p1"


def test_the_time_is_when_the_collector_got_it_where_the_device_sends_none():
    collected = int(RECEIVED.timestamp() * 1000) - 90_000
    assert parse(b"bare", b"1", collected)[1] == RECEIVED - pd.Timedelta(seconds=90)
    tomorrow = collected + 86_400_000
    assert parse(b"bare", b"1", tomorrow)[1] == RECEIVED


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        (b"plug", b"{", "not_json"),
        (b"plug", b"", "empty"),
        (b"plug", None, "empty"),
        (None, b"{", "not_json"),
        (b"plug", b"[" * 200, "too_nested"),
        (b"plug", b'"' + b"x" * 1000 + b'"', "message_too_large"),
        (b"\xff", b"1", "no_meter"),
        (None, b"1", "no_meter"),
        (None, b'{"meter": 5}', "no_meter"),
        (b"new", b"1", "not_described"),
        (b"other", b"1", "meter_not_allowed"),
        (b"bare", b"true", "no_value"),
        (b"bare", b"NaN", "no_value"),
        (b"bare", b'"1e400"', "no_value"),
        (b"bare", b"1e12", "too_large"),
        (b"p1", b'{"import_t1_kwh": 18446744073709551615, "import t2": [0]}', "too_large"),
        (b"bare", b"-0.5", "negative"),
        (b"p1", b'{"import_t1_kwh": 1, "import t2": ["-2"]}', "negative"),
        (b"bare", b'"12 W"', "no_value"),
        (b"bare", b"[1]", "no_value"),
        (b"p1", b'{"import_t1_kwh": 1}', "no_value"),
        (b"plug", b'{"ENERGY": {"Total": 1}}', "no_time"),
        (b"plug", b'{"Time": "noon", "ENERGY": {"Total": 1}}', "unreadable_time"),
        (b"plug", b'{"Time": "2024-03-10T02:30:00", "ENERGY": {"Total": 1}}', "nonexistent_time"),
        (b"plug", b'{"Time": "2024-03-05T13:11:00", "ENERGY": {"Total": 1}}', "future_time"),
        (b"plug", b'{"Time": "1970-01-01T00:00:09", "ENERGY": {"Total": 1}}', "too_old"),
        (b"plug", b'{"Time": "2024-03-04T13:05:00", "ENERGY": {"Total": 1}}', "delayed"),
    ],
)
def test_what_cannot_be_read_gets_a_reason_in_one_line(key, value, code):
    reason = reason_of(key, value)
    assert reason.partition(":")[0] == code
    assert "\n" not in reason


def test_only_of_a_net_meter_a_value_below_0_is_a_sample():
    registry = MeterRegistry(known={"bare": Meter("bare", sign=Sign.NET)})
    sample = SampleMessage(b"bare", b"-0.5", int(RECEIVED.timestamp() * 1000))
    parsed = parse_samples([sample], BOOK, registry)
    assert (parsed.reasons, parsed.values.tolist()) == ([None], [-0.5])
    assert reason_of(b"bare", b"-0.0") is None


def test_the_autumn_hour_is_told_apart_by_the_brokers_clock_or_refused():
    value = b'{"Time": "2024-11-03T01:30:00", "ENERGY": {"Total": 1}}'
    first = pd.Timestamp("2024-11-03T05:30:01Z")
    assert parse(b"plug", value, received=first)[1] == first - pd.Timedelta(seconds=1)
    later = first + pd.Timedelta(hours=1)
    assert reason_of(b"plug", value, later).startswith("ambiguous_time")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"path": "ENERGY.Total"}, "path 1: expected a path such as"),
        ({"path": ["$.a", "$.a..b"]}, "path 2: expected a path such as"),
        ({"path": []}, "path: "),
        ({"path": None}, "path: expected"),
        ({"time_path": "now"}, "time_path: expected a path such as"),
        ({"quantity": "volume"}, "quantity: expected a value"),
        ({"unit": "W"}, "unit: expected Wh, kWh, MWh, m3 or l for the quantity register, got W"),
        ({"quantity": "energy", "time_path": None}, "time_path: expected for the quantity"),
        ({"register_size": "0"}, "register_size: "),
        ({"register_size": "big"}, "register_size: expected a number, got 'big'"),
        ({"quantity": "energy", "register_size": "9"}, "register_size: expected for the quantity"),
        ({"max_gap": "0"}, "max_gap: "),
        ({"max_gap": "1.5"}, "max_gap: expected a whole number"),
        ({"interval": "5"}, "interval: unknown field; expected"),
    ],
)
def test_a_description_that_cannot_be_used_is_refused_by_its_field(change, words):
    with pytest.raises(ValueError, match=r"^[^\n]+$") as raised:
        described_meter({"name": "plug", "samples": {**TASMOTA, **change}})
    assert str(raised.value).startswith(f"meter plug: samples: {words}")


def test_the_factor_of_a_meter_is_said_of_its_samples_too():
    fields = {"name": "plug", "factor": "40", "samples": TASMOTA}
    with pytest.raises(ValueError, match="samples: factor: expected, as the meter has a factor"):
        described_meter(fields)
    found = described_meter({**fields, "samples": {**TASMOTA, "factor": "40"}})
    assert found.samples is not None
    assert found.samples.scale == 40
    assert described_meter(written_fields(found)) == found
