"""The messages on the topics: how they are written, and what makes one unreadable.

Belongs here: the wire contract of `usage` and `anomaly`, for every reader and writer of them.
Not here: clients of Kafka (adapters), which of two events wins (`core.readings.validation`).
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.meters import MeterRegistry, is_meter_name

FUTURE_TOLERANCE = pd.Timedelta(minutes=5)
MOST_KW = 1e8
"""No meter of a building comes near 100 GW, and up to there an hour's sum of whole milliwatts stays
exact; a larger value would overflow the sum and stop the stream for good."""

MOST_EVENT_BYTES = 4_000
"""An event with the longest name in escapes takes 2,500 bytes."""

KEPT_BYTES = 1_000
"""What is kept of a larger message."""

_EARLIEST = pd.Timestamp("1970-01-01", tz="UTC")
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-][0-2]\d:[0-5]\d)?", re.ASCII
)
# How deep Python can read depends on who calls; few brackets read the same everywhere.
_MOST_BRACKETS = 100
_JSON_BLANKS = " \t\n\r"
# `json.loads` takes three times as long, and reads UTF-16 and lone surrogates too. Integers become
# floats at once, as the digits of an `int` are limited.
_decode_json = json.JSONDecoder(parse_int=float).raw_decode

_Objects = npt.NDArray[np.object_]
_Fields = tuple[str | None, datetime | None, float, str | None]


class Reason(StrEnum):
    """Why an event on `usage` is not a reading; the value stands in the rejects."""

    EMPTY = "empty: expected a JSON object, got no value"
    MESSAGE_TOO_LARGE = (
        f"message_too_large: expected at most {MOST_EVENT_BYTES:,} bytes; "
        f"the first {KEPT_BYTES:,} are kept"
    )
    TOO_NESTED = "too_nested: expected a JSON object with at most 100 brackets"
    NOT_JSON = "not_json: expected a JSON object in UTF-8"
    NOT_AN_OBJECT = "not_an_object: expected a JSON object"
    MISSING_TS = "missing_field: ts"
    MISSING_VALUE = "missing_field: value"
    TYPE_TS = "wrong_type: ts must be a string"
    TYPE_VALUE = "wrong_type: value must be a number"
    TYPE_METER = (
        "wrong_type: meter must be a string of 1 to 200 printable characters, not all blank"
    )
    NOT_FINITE = "not_finite: value must be a finite number"
    NEGATIVE = "negative: value must be 0 or more"
    TOO_LARGE = "too_large: value must be at most 100000000 kW"
    UNREADABLE_TIME = "unreadable_time: ts must be like 2024-03-05T13:05:00-05:00"
    NONEXISTENT_TIME = "nonexistent_time: ts is skipped by the clock change; send an offset"
    AMBIGUOUS_TIME = "ambiguous_time: ts comes twice at the clock change; send an offset"
    FUTURE_TIME = "future_time: ts is more than 5 minutes after the broker received it"


def usage_messages(frame: pd.DataFrame) -> list[bytes]:
    """Write readings as messages of the topic `usage`.

    Args:
        frame: Columns `meter` (text), `ts` (datetime64[ns, UTC], interval start, on a
            whole second), `value` (kW).

    Returns:
        One UTF-8 JSON object a row, in the frame's order.
    """
    times = frame["ts"].to_numpy("datetime64[ns]")
    stamps = cast("npt.NDArray[np.str_]", np.datetime_as_string(times, unit="s"))
    names = {meter: json.dumps(meter) for meter in frame["meter"].unique()}
    rows = zip(frame["meter"], stamps, frame["value"].tolist(), strict=True)
    return [
        f'{{"meter":{names[meter]},"ts":"{ts}Z","value":{value!r}}}'.encode()
        for meter, ts, value in rows
    ]


def kept_bytes(value: bytes | None) -> bytes | None:
    """What is kept of a rejected message: all of it, or the first bytes of one that is too large.

    Whoever copies or stores rejects would otherwise take as much memory as the sender likes.
    """
    return value[:KEPT_BYTES] if value is not None and len(value) > MOST_EVENT_BYTES else value


def parse_usage(
    values: Sequence[bytes | None], received: pd.Series, registry: MeterRegistry
) -> pd.DataFrame:
    """Read messages of the topic `usage`; each becomes a reading or gets a reason.

    Args:
        values: The messages' values, n of them; `None` is a tombstone.
        received: The broker's timestamps, n values, datetime64[ns, UTC].
        registry: Gives naive times their zone and nameless events their meter.

    Returns:
        n rows in the same order: `meter` (text or None), `event_time` (datetime64[ns, UTC] or
        NaT), `value` (kW or NaN), `reason` (None for a reading, else a `Reason`'s text).
    """
    rows = [_read_fields(value, registry.default.name) for value in values]
    fields = np.array(rows, dtype=object).reshape(-1, 4)
    meters, clocks, reasons = fields[:, 0], fields[:, 1], fields[:, 3]
    times, faults = _instants(clocks, meters, registry)
    faults[(times > received.reset_index(drop=True) + FUTURE_TOLERANCE).to_numpy()] = (
        Reason.FUTURE_TIME.value
    )
    return pd.DataFrame(
        {
            "meter": pd.Series(meters, dtype=object),
            "event_time": times,
            "value": fields[:, 2].astype(np.float64),
            "reason": pd.Series(np.where(_is_none(reasons), faults, reasons), dtype=object),
        }
    )


def _read_fields(raw: bytes | None, default_meter: str) -> _Fields:
    """Meter, time as it is written, kW, and what is wrong with the first bad field, if one is."""
    event = _decoded(raw)
    if isinstance(event, Reason):
        return None, None, math.nan, event.value
    meter = event.get("meter", default_meter)
    if type(meter) is not str or not is_meter_name(meter):
        return None, None, math.nan, Reason.TYPE_METER.value
    reason = _fault_of_fields(event)
    if reason is not None:
        return meter, None, math.nan, reason.value
    clock = read_clock(event["ts"])
    if clock is None:
        return meter, None, event["value"], Reason.UNREADABLE_TIME.value
    return meter, clock, event["value"] + 0.0, None  # -0.0 becomes 0.0


def _decoded(raw: bytes | None) -> dict[str, Any] | Reason:
    if raw is None:
        return Reason.EMPTY
    if len(raw) > MOST_EVENT_BYTES:
        return Reason.MESSAGE_TOO_LARGE
    if raw.count(b"{") + raw.count(b"[") > _MOST_BRACKETS:
        return Reason.TOO_NESTED
    try:
        text = raw.decode().strip(_JSON_BLANKS)
        event, end = _decode_json(text)
    except ValueError:
        return Reason.NOT_JSON
    if end != len(text):
        return Reason.NOT_JSON
    if type(event) is not dict:
        return Reason.NOT_AN_OBJECT
    return event  # pyright: ignore[reportUnknownVariableType]


def _fault_of_fields(event: Mapping[str, Any]) -> Reason | None:
    if "ts" not in event:
        return Reason.MISSING_TS
    if "value" not in event:
        return Reason.MISSING_VALUE
    if type(event["ts"]) is not str:
        return Reason.TYPE_TS
    value = event["value"]
    if type(value) is not float:
        return Reason.TYPE_VALUE
    if 0 <= value <= MOST_KW:
        return None
    if not math.isfinite(value):
        return Reason.NOT_FINITE
    return Reason.NEGATIVE if value < 0 else Reason.TOO_LARGE


def read_clock(text: str) -> datetime | None:
    """A time as the messages write it, with or without an offset; None if it is none."""
    # The pattern comes first: `fromisoformat` reads more, and more in newer Pythons.
    if _TIME.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _instants(
    clocks: _Objects, meters: _Objects, registry: MeterRegistry
) -> tuple[pd.Series, _Objects]:
    """UTC instants of the times, and why one has none; NaT and None where there is no time."""
    times = pd.Series(pd.NaT, index=range(len(clocks)), dtype="datetime64[ns, UTC]")
    faults = np.full(len(clocks), None, dtype=object)
    given = ~_is_none(clocks)
    aware = np.array([c is not None and c.tzinfo is not None for c in clocks], dtype=bool)
    times[aware] = pd.to_datetime(clocks[aware].tolist(), utc=True, errors="coerce")
    naive = np.flatnonzero(given & ~aware)
    wall_times = cast("pd.DatetimeIndex", pd.to_datetime(clocks[naive].tolist(), errors="coerce"))
    local = pd.Series(wall_times, index=naive)
    zones = {name: registry.get(name).timezone for name in set(meters[naive])}
    for zone, part in local.groupby(pd.Series(meters[naive], index=naive).map(zones)):
        times[part.index], faults[part.index] = _localized(part, str(zone))
    times = times.where(times >= _EARLIEST)
    faults[given & times.isna().to_numpy() & _is_none(faults)] = Reason.UNREADABLE_TIME.value
    return times, faults


def _localized(local: pd.Series, zone: str) -> tuple[pd.Series, _Objects]:
    strict = local.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    exists = local.dt.tz_localize(zone, ambiguous=np.ones(len(local), bool), nonexistent="NaT")
    gone, twice = local.notna() & exists.isna(), strict.isna() & exists.notna()
    faults = np.full(len(local), None, dtype=object)
    faults[gone] = Reason.NONEXISTENT_TIME.value
    faults[twice] = Reason.AMBIGUOUS_TIME.value
    return strict.dt.tz_convert("UTC").astype("datetime64[ns, UTC]"), faults


def _is_none(objects: _Objects) -> npt.NDArray[np.bool_]:
    return pd.isna(objects)


def anomaly_message(anomaly: Mapping[str, Any]) -> bytes:
    """Write one anomaly (a row of `anomalies.anomaly.ANOMALY_COLUMNS`) as a message of `anomaly`.

    `ts` is written with the meter's local offset, so that people and programs both read it.
    """
    ts = anomaly["ts"]
    text = ts.isoformat() if isinstance(ts, datetime) else str(ts)
    return json.dumps({**anomaly, "ts": text}, separators=(",", ":")).encode()
