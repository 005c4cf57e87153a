"""The messages on the topics: how they are written, and what makes one unreadable.

Belongs here: the wire contract of `usage` and `anomaly`, for every reader and writer of them.
Not here: clients of Kafka (adapters), which of two events wins (`core.batch`).
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from usage_platform.core.meters import MeterRegistry

FUTURE_TOLERANCE = pd.Timedelta(minutes=5)
_EARLIEST = pd.Timestamp("1970-01-01", tz="UTC")
_ISO_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?"
_NAIVE = f"{_ISO_TIME}"
_AWARE = rf"{_ISO_TIME}(?:Z|[+-]\d\d:\d\d)"


class Reason(StrEnum):
    """Why an event on `usage` is not a reading; the value stands in the rejects."""

    EMPTY = "empty: expected a JSON object, got no value"
    NOT_JSON = "not_json: expected a JSON object in UTF-8"
    NOT_AN_OBJECT = "not_an_object: expected a JSON object"
    MISSING_TS = "missing_field: ts"
    MISSING_VALUE = "missing_field: value"
    TYPE_TS = "wrong_type: ts must be a string"
    TYPE_VALUE = "wrong_type: value must be a number"
    TYPE_METER = "wrong_type: meter must be a string that is not empty"
    NOT_FINITE = "not_finite: value must be a finite number"
    NEGATIVE = "negative: value must be 0 or more"
    UNREADABLE_TIME = "unreadable_time: ts must be like 2024-03-05T13:05:00-05:00"
    NONEXISTENT_TIME = "nonexistent_time: ts is skipped by the clock change; send an offset"
    AMBIGUOUS_TIME = "ambiguous_time: ts comes twice at the clock change; send an offset"
    FUTURE_TIME = "future_time: ts is more than 5 minutes after the broker received it"


def usage_messages(frame: pd.DataFrame) -> list[bytes]:
    """Write readings as messages of the topic `usage`.

    Args:
        frame: Columns `meter` (text), `ts` (datetime64[ns, UTC], interval start), `value` (kW).

    Returns:
        One UTF-8 JSON object a row, in the frame's order.
    """
    stamps = np.datetime_as_string(frame["ts"].to_numpy("datetime64[ns]"), unit="s")
    names = {meter: json.dumps(meter) for meter in frame["meter"].unique()}
    rows = zip(frame["meter"], stamps, frame["value"].tolist(), strict=True)
    return [
        f'{{"meter":{names[meter]},"ts":"{ts}Z","value":{value!r}}}'.encode()
        for meter, ts, value in rows
    ]


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
    frame = pd.DataFrame(rows, columns=["meter", "ts", "value", "reason"])
    frame = frame.astype({"meter": object, "ts": object, "value": "float64", "reason": object})
    frame["event_time"] = _event_times(frame, registry)
    clock = received.reset_index(drop=True) + FUTURE_TOLERANCE
    future = frame["reason"].isna() & (frame["event_time"] > clock)
    frame.loc[future, "reason"] = Reason.FUTURE_TIME.value
    frame["reason"] = frame["reason"].astype(object).where(frame["reason"].notna(), None)
    return frame[["meter", "event_time", "value", "reason"]]


def _read_fields(
    raw: bytes | None, default_meter: str
) -> tuple[str | None, str | None, float, str | None]:
    if raw is None:
        return None, None, math.nan, Reason.EMPTY.value
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError):
        return None, None, math.nan, Reason.NOT_JSON.value
    if type(event) is not dict:
        return None, None, math.nan, Reason.NOT_AN_OBJECT.value
    meter = event.get("meter", default_meter)
    if type(meter) is not str or not meter.strip():
        return None, None, math.nan, Reason.TYPE_METER.value
    reason = _fault_of_fields(event)
    if reason is not None:
        return meter, None, math.nan, reason.value
    return meter, event["ts"], float(event["value"]), None


def _fault_of_fields(event: Mapping[str, Any]) -> Reason | None:
    if "ts" not in event:
        return Reason.MISSING_TS
    if "value" not in event:
        return Reason.MISSING_VALUE
    if type(event["ts"]) is not str:
        return Reason.TYPE_TS
    if type(event["value"]) not in (int, float):
        return Reason.TYPE_VALUE
    return _fault_of_number(event["value"])


def _fault_of_number(value: float) -> Reason | None:
    try:
        number = float(value)
    except OverflowError:
        return Reason.NOT_FINITE
    if not math.isfinite(number):
        return Reason.NOT_FINITE
    return Reason.NEGATIVE if number < 0 else None


def _event_times(frame: pd.DataFrame, registry: MeterRegistry) -> pd.Series:
    """UTC instants of the `ts` texts; sets a reason where there is none to be had."""
    times = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns, UTC]")
    open_rows = frame.index[frame["reason"].isna()]
    texts = frame.loc[open_rows, "ts"].astype(str)
    aware = texts[texts.str.fullmatch(_AWARE)]
    times[aware.index] = pd.to_datetime(aware, format="ISO8601", utc=True, errors="coerce")
    naive = texts[texts.str.fullmatch(_NAIVE)]
    local = pd.to_datetime(naive, format="ISO8601", errors="coerce")
    zones = frame.loc[naive.index, "meter"].map(lambda name: registry.get(name).timezone)
    for zone, part in local.groupby(zones):
        times[part.index] = _localized(part, str(zone), frame)
    late_enough = times >= _EARLIEST
    times = times.where(late_enough)
    unreadable = frame["reason"].isna() & times.isna()
    frame.loc[unreadable, "reason"] = Reason.UNREADABLE_TIME.value
    return times


def _localized(local: pd.Series, zone: str, frame: pd.DataFrame) -> pd.Series:
    strict = local.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    unclear = strict.isna() & local.notna()
    if unclear.any():
        exists = local.dt.tz_localize(zone, ambiguous=np.ones(len(local), bool), nonexistent="NaT")
        gone = unclear & exists.isna()
        frame.loc[gone.index[gone], "reason"] = Reason.NONEXISTENT_TIME.value
        twice = unclear & exists.notna()
        frame.loc[twice.index[twice], "reason"] = Reason.AMBIGUOUS_TIME.value
    return strict.dt.tz_convert("UTC").astype("datetime64[ns, UTC]")


def anomaly_message(anomaly: Mapping[str, Any]) -> bytes:
    """Write one anomaly (a row of `core.anomalies.ANOMALY_COLUMNS`) as a message of `anomaly`.

    `ts` is written with the meter's local offset, so that people and programs both read it.
    """
    ts = anomaly["ts"]
    text = ts.isoformat() if isinstance(ts, datetime) else str(ts)
    return json.dumps({**anomaly, "ts": text}, separators=(",", ":")).encode()


def read_anomalies(values: Iterable[bytes]) -> list[dict[str, Any]]:
    """Read messages of the topic `anomaly`; only this platform writes them, so none is judged."""
    return [json.loads(value) for value in values]
