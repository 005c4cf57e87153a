"""The messages on the topics: how they are written, and which of them are readings.

Belongs here: the wire contract of `usage` and `anomaly`, for every reader and writer of them.
Not here: one event's fields and time (`event_fields`, `event_times`), events in our own form
(`plain_events`), clients of Kafka (adapters), which of two events wins (`validation`).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.limits import EventLimits
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.event_fields import read_fields
from usage_platform.core.readings.event_times import event_instants, no_times
from usage_platform.core.readings.plain_events import plain_events
from usage_platform.core.readings.reject_reasons import KEPT_BYTES, Reason


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


def kept_bytes(value: bytes | None, limits: EventLimits) -> bytes | None:
    """What is kept of a rejected message: all of it, or the first bytes of one that is too large.

    Whoever copies or stores rejects would otherwise take as much memory as the sender likes.
    """
    return value[:KEPT_BYTES] if value is not None and len(value) > limits.event_bytes else value


def parse_usage(
    values: Sequence[bytes | None],
    keys: Sequence[bytes | None],
    received: pd.Series,
    registry: MeterRegistry,
) -> pd.DataFrame:
    """Read messages of the topic `usage`; each is a reading or gets a reason.

    Args:
        values: The messages' values, n of them; `None` is a tombstone.
        keys: The messages' keys, n of them; they name the meter where the value does not.
        received: The broker's timestamps, n values, datetime64[ns, UTC].
        registry: Gives naive times their zone, events that name no meter theirs, and the limits.

    Returns:
        n rows in the same order: `meter` (text or None), `event_time` (datetime64[ns, UTC] or
        NaT), `value` (kW or NaN), `reason` (None for a reading, else the text of a `Reason`).
    """
    count = len(values)
    meters = np.full(count, None, dtype=object)
    times = no_times(count)
    kw = np.full(count, np.nan)
    plain = plain_events(values)
    is_plain = np.zeros(count, dtype=np.bool_)
    is_plain[plain.places] = True
    meters[is_plain], times.ns[is_plain], kw[is_plain] = plain.meters, plain.ns, plain.kw
    reasons: dict[int, Reason] = {}
    for place in np.flatnonzero(~is_plain).tolist():
        field = read_fields(values[place], keys[place], registry)
        meters[place], kw[place] = field.meter, field.kw
        if field.time is not None:
            times.ns[place], times.is_local[place] = field.time
        if field.reason is not None:
            reasons[place] = field.reason
    instants, faults = event_instants(times, meters, received.reset_index(drop=True), registry)
    for place, reason in reasons.items():
        faults[place] = reason.filled(registry.limits)
    return pd.DataFrame(
        {
            "meter": pd.Series(meters, dtype=object),
            "event_time": instants,
            "value": kw,
            "reason": pd.Series(faults, dtype=object),
        }
    )


def anomaly_message(anomaly: Mapping[str, Any]) -> bytes:
    """Write one anomaly (a row of `anomalies.anomaly.ANOMALY_COLUMNS`) as a message of `anomaly`.

    `ts` is written with the meter's local offset, so that people and programs both read it.
    """
    ts = anomaly["ts"]
    text = ts.isoformat() if isinstance(ts, datetime) else str(ts)
    return json.dumps({**anomaly, "ts": text}, separators=(",", ":")).encode()
