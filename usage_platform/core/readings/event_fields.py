"""The fields of one event: what its bytes say before times are compared with clocks.

Belongs here: JSON, the envelope of Kafka Connect, the meter's name, the value and its unit.
Not here: times (`event_times`), writing events and reading many of them (`messages`).
"""

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from usage_platform.core.limits import MOST_KW
from usage_platform.core.measurement import ReadingUnit
from usage_platform.core.meters import MeterRegistry, is_meter_name
from usage_platform.core.readings.event_times import EventTime, read_time
from usage_platform.core.readings.reject_reasons import MOST_BRACKETS, Reason

_JSON_BLANKS = " \t\n\r"
_JSON_BEGINS = ("{", "[", '"')
_ENVELOPE = {"schema", "payload"}
# How programs call the unit, without case and marks.
_UNIT_NAMES = {"unit", "units", "uom", "unitofmeasure", "unitofmeasurement"}
_LONGEST_UNIT_NAME = 20
# `json.loads` takes three times as long, and reads UTF-16 and lone surrogates too. Integers become
# floats at once, as the digits of an `int` are limited.
_decode_json = json.JSONDecoder(parse_int=float).raw_decode


class EventFields(NamedTuple):
    """What one event says.

    Attributes:
        meter: The meter's name; None if it could not be read.
        time: The time; None if it could not be read.
        kw: The value in kW, or in m3/h of a meter of a volume; NaN if it could not be read.
        reason: What is wrong with the first wrong field; None if nothing is.
    """

    meter: str | None
    time: EventTime | None
    kw: float
    reason: Reason | None


def read_fields(value: bytes | None, key: bytes | None, registry: MeterRegistry) -> EventFields:
    """Read one event.

    Args:
        value: The message's value; None is a tombstone.
        key: The message's key, which names the meter where the value does not.
        registry: Names the meter of an event that neither names, the net meters and the units;
            what is accepted.
    """
    event = _decoded(value, registry.limits.event_bytes)
    if isinstance(event, Reason):
        return EventFields(None, None, math.nan, event)
    meter = _meter(event, key, registry.default.name)
    if isinstance(meter, Reason):
        return EventFields(None, None, math.nan, meter)
    kw = _value(event, meter, registry)
    if isinstance(kw, Reason):
        return EventFields(meter, None, math.nan, kw)
    if kw < 0 and not registry.get(meter).is_net:
        return EventFields(meter, None, math.nan, Reason.NEGATIVE)
    time = read_time(event["ts"])
    return EventFields(meter, time, kw, Reason.UNREADABLE_TIME if time is None else None)


def decoded_json(value: bytes | None, most_bytes: int) -> Any | Reason:  # noqa: ANN401 - any JSON
    """What the bytes of a message say as JSON, an envelope of Kafka Connect opened.

    Args:
        value: The message's value; None is a tombstone.
        most_bytes: The largest size of a value.

    Returns:
        Numbers are floats. A `Reason` where there is no JSON, or too much of it.
    """
    if value is not None and len(value) > most_bytes:
        return Reason.MESSAGE_TOO_LARGE
    if value is None or not value.strip(_JSON_BLANKS.encode()):
        return Reason.EMPTY
    if value.count(b"{") + value.count(b"[") > MOST_BRACKETS:
        return Reason.TOO_NESTED
    try:
        text = value.decode().strip(_JSON_BLANKS)
        event, end = _decode_json(text)
    except ValueError:
        return Reason.NOT_JSON
    if end != len(text):
        return Reason.NOT_JSON
    event = _opened(event)
    return Reason.EMPTY if event is None and text != "null" else event


def _decoded(value: bytes | None, most_bytes: int) -> dict[str, Any] | Reason:
    event = decoded_json(value, most_bytes)
    if type(event) is not dict:
        return event if type(event) is Reason else Reason.NOT_AN_OBJECT
    return event  # pyright: ignore[reportUnknownVariableType]


def _opened(event: Any) -> Any:  # noqa: ANN401 - any JSON
    """What an envelope of Kafka Connect holds; anything else as it is."""
    if type(event) is not dict:
        return event
    fields = cast("dict[str, Any]", event)
    return fields["payload"] if set(fields) == _ENVELOPE else fields


def _meter(event: Mapping[str, Any], key: bytes | None, default: str) -> str | Reason:
    if "meter" in event:
        name = event["meter"]
        return name if type(name) is str and is_meter_name(name) else Reason.TYPE_METER
    if not key:
        # Not the default one's: this is of the meter that it names.
        is_named = any(name.casefold() == "meter" for name in event)
        return Reason.MISNAMED_METER if is_named else default
    try:
        name = key.decode()
    except ValueError:
        return Reason.TYPE_KEY
    # A key that a converter wrote as JSON would name a meter that the values do not.
    is_name = is_meter_name(name) and not name.lstrip().startswith(_JSON_BEGINS)
    return name if is_name else Reason.TYPE_KEY


def _value(event: Mapping[str, Any], meter: str, registry: MeterRegistry) -> float | Reason:
    """The value in the meter's unit, or what is wrong with the first wrong field.

    What the time says is not looked at.
    """
    if "ts" not in event:
        return Reason.MISSING_TS
    if "value" not in event:
        return Reason.MISSING_VALUE
    if type(event["ts"]) not in (str, float):
        return Reason.TYPE_TS
    value = event["value"]
    if type(value) is not float:
        return Reason.TYPE_VALUE
    if "unit" in event:
        own, unit = registry.get(meter).unit, event["unit"]
        if type(unit) is not str or unit not in own.event_units:
            return Reason.UNKNOWN_UNIT if own is ReadingUnit.KW else Reason.UNKNOWN_FLOW
        times, over = own.event_units[unit]
        value = value * times / over
    elif _names_another_unit(event, registry.get(meter).unit):
        return Reason.MISNAMED_UNIT
    if abs(value) <= MOST_KW:
        return value + 0.0  # -0.0 becomes 0.0
    return Reason.TOO_LARGE if math.isfinite(value) else Reason.NOT_FINITE


def _names_another_unit(event: Mapping[str, Any], assumed: ReadingUnit) -> bool:
    """Whether an event without the field `unit` has one of another name, such as `units`.

    It may say what is assumed without it.
    """
    return any(
        len(name) <= _LONGEST_UNIT_NAME
        and "".join(filter(str.isalpha, name)).casefold() in _UNIT_NAMES
        and type(text) is str
        and text != assumed.value
        for name, text in event.items()
    )
