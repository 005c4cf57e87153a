"""Messages of the topic `samples` become values at instants; what cannot be read gets a reason.

Belongs here: one message by itself. Not here: samples of a meter together (`window`, `stage`).
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.limits import FUTURE_TOLERANCE, MOST_KW
from usage_platform.core.measurement import Quantity
from usage_platform.core.meter_descriptions.json_path import JsonPath, json_path
from usage_platform.core.meter_descriptions.samples import SampleDescription, SampleDescriptions
from usage_platform.core.meters import MeterRegistry, is_meter_name
from usage_platform.core.readings.event_fields import decoded_json
from usage_platform.core.readings.event_times import (
    EventTime,
    event_times,
    instants_at_any_time,
    read_time,
)
from usage_platform.core.readings.reject_reasons import Reason
from usage_platform.core.samples.reject_reasons import SampleReason
from usage_platform.core.time.units import NS_A_DAY, NS_A_MILLISECOND

LONGEST_DELAY = NS_A_DAY
"""A sample that the broker receives later than so long after its time (ns) is rejected."""

# Ten thousand hours of the largest power; of it a double still tells tenths of a watt-hour apart.
_MOST_KWH = 1e12

_NUMBER = re.compile(r"[+-]?\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?", re.ASCII)


class SampleMessage(NamedTuple):
    """A message of the topic.

    Attributes:
        key: Names the meter.
        value: What the device sent.
        received: The broker's timestamp, ms since 1970 UTC.
        collected: When the collector got it from the device, ms since 1970 UTC; None: unknown.
    """

    key: bytes | None
    value: bytes | None
    received: int
    collected: int | None = None


@dataclass(frozen=True, eq=False)
class ParsedSamples:
    """Messages that were read; n of each.

    Attributes:
        meters: Names; None where it could not be read.
        instants: int64, ns since 1970 UTC; only where there is no reason.
        values: float64, in the unit of the meter's description; only where there is no reason.
        reasons: Why it is no sample, `code: what was expected`; None for a sample.
    """

    meters: list[str | None]
    instants: Ints
    values: Floats
    reasons: list[str | None]


class _Fields(NamedTuple):
    meter: str | None
    value: float
    time: EventTime | None
    reason: SampleReason | Reason | None


def parse_samples(
    messages: Sequence[SampleMessage], descriptions: SampleDescriptions, registry: MeterRegistry
) -> ParsedSamples:
    """Read messages of the topic `samples`.

    Args:
        messages: n messages.
        descriptions: How each meter's samples are read.
        registry: Gives times without an offset their zone, and the limits: of the size of a
            message, of the meters, and of the oldest day.
    """
    fields = [_read(message, descriptions, registry) for message in messages]
    meters = [field.meter for field in fields]
    received = np.array([message.received for message in messages], np.int64) * NS_A_MILLISECOND
    appended = pd.Series(pd.DatetimeIndex(received, tz="UTC"))
    instants, faults = instants_at_any_time(
        event_times([field.time for field in fields]),
        np.array(meters, dtype=object),
        appended,
        registry,
    )
    ns = instants.to_numpy("datetime64[ns]").astype(np.int64)
    reasons: list[str | None] = list(faults)
    for place in np.flatnonzero(instants.notna().to_numpy() & (ns < received - LONGEST_DELAY)):
        # A device whose clock was never set.
        reasons[place] = reasons[place] or SampleReason.DELAYED.value
    for place, field in enumerate(fields):
        if isinstance(field.reason, Reason):
            reasons[place] = field.reason.filled(registry.limits)
        elif field.reason is not None:
            reasons[place] = field.reason.value
    values = np.array([field.value for field in fields], dtype=np.float64)
    return ParsedSamples(meters, ns, values, reasons)


def _read(
    message: SampleMessage, descriptions: SampleDescriptions, registry: MeterRegistry
) -> _Fields:
    limits = registry.limits
    content = decoded_json(message.value, limits.event_bytes)
    meter = _meter(message.key, content)
    if meter is None:
        is_unread = isinstance(content, Reason) and not message.key
        return _Fields(None, math.nan, None, content if is_unread else SampleReason.NO_METER)
    description = descriptions.get(meter)
    if limits.allowed_meters and meter not in limits.allowed_meters:
        return _Fields(meter, math.nan, None, Reason.METER_NOT_ALLOWED)
    if description is None:
        return _Fields(meter, math.nan, None, SampleReason.NOT_DESCRIBED)
    if isinstance(content, Reason):
        return _Fields(meter, math.nan, None, content)
    value = sum(_number(path, content) for path in description.value_paths)
    if not math.isfinite(value):
        return _Fields(meter, math.nan, None, SampleReason.NO_VALUE)
    if abs(value * description.scale) > _most(description):
        return _Fields(meter, math.nan, None, SampleReason.TOO_LARGE)
    if value < 0 and not registry.get(meter).is_net:
        return _Fields(meter, math.nan, None, Reason.NEGATIVE)
    time = _time(message, description, content)
    if isinstance(time, EventTime):
        return _Fields(meter, value, time, None)
    return _Fields(meter, math.nan, None, time)


def _meter(key: bytes | None, content: object) -> str | None:
    """The meter that a message names; the key goes first, as devices have fields of all names."""
    if key:
        try:
            name: object = key.decode()
        except ValueError:
            return None
    else:
        name = cast("dict[str, Any]", content).get("meter") if type(content) is dict else None
    return name if isinstance(name, str) and is_meter_name(name) else None


def _most(description: SampleDescription) -> float:
    """The largest value in kW or kWh, or in m3/h or m3; the sentinel of a counter is above it."""
    return MOST_KW if description.quantity is Quantity.POWER else _MOST_KWH


def _number(path: JsonPath, content: object) -> float:
    """The number at a path, which many devices write as text; NaN where there is none."""
    found = path.find(content)
    if isinstance(found, str) and _NUMBER.fullmatch(found.strip()):
        return float(found)
    return found if type(found) is float else math.nan


def _time(
    message: SampleMessage, description: SampleDescription, content: object
) -> EventTime | Reason | SampleReason:
    time_path = description.time_path
    if time_path is None:
        return EventTime(_arrival(message) * NS_A_MILLISECOND, is_local=False)
    found = json_path(time_path).find(content)
    if isinstance(found, str) or type(found) is float:
        return read_time(found) or Reason.UNREADABLE_TIME
    return SampleReason.NO_TIME


def _arrival(message: SampleMessage) -> int:
    """When the platform got the sample, ms: Kafka may have been away when the collector did."""
    tolerance = FUTURE_TOLERANCE.value // NS_A_MILLISECOND
    collected = message.collected
    is_known = collected is not None and 0 < collected <= message.received + tolerance
    return collected if collected is not None and is_known else message.received
