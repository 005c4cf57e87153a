"""Why an event on `usage` is not a reading.

Belongs here: the reasons, as the table `rejects` has them. Not here: the checks (`messages`,
`event_fields`, `event_times`, `validation`).
"""

from enum import StrEnum

from usage_platform.core.limits import EventLimits
from usage_platform.core.meters import LONGEST_NAME

KEPT_BYTES = 1_000
"""What is kept of a message that is too large."""

MOST_BRACKETS = 100
"""How deep Python can read depends on who calls; few brackets read the same everywhere."""


class Reason(StrEnum):
    """A reason: its code, and what was expected; `filled` puts the numbers into braces."""

    EMPTY = "empty: expected a JSON object, got no value (a tombstone or an empty message)"
    MESSAGE_TOO_LARGE = (
        "message_too_large: expected at most {event_bytes:,} bytes (USAGE_MAX_EVENT_BYTES); "
        f"the first {KEPT_BYTES:,} are kept"
    )
    TOO_NESTED = f"too_nested: expected a JSON object with at most {MOST_BRACKETS} brackets"
    NOT_JSON = "not_json: expected a JSON object in UTF-8"
    NOT_AN_OBJECT = "not_an_object: expected a JSON object"
    MISSING_TS = (
        "missing_field: ts; expected ts and value in the object itself, or in the payload of an "
        "envelope of Kafka Connect"
    )
    MISSING_VALUE = (
        "missing_field: value; expected ts and value in the object itself, or in the payload of an "
        "envelope of Kafka Connect"
    )
    TYPE_TS = "wrong_type: ts must be a string or a number"
    TYPE_VALUE = "wrong_type: value must be a number"
    TYPE_METER = (
        f"wrong_type: meter must be a string of 1 to {LONGEST_NAME} printable characters, not all "
        "blank"
    )
    MISNAMED_METER = (
        "wrong_type: the field that names the meter must be called meter, in lower case, so that "
        "the event is not read as one of the default meter"
    )
    TYPE_KEY = (
        "wrong_type: the value names no meter, and the key is no name of one: expected 1 to "
        f"{LONGEST_NAME} printable characters in UTF-8, not JSON; send the field meter"
    )
    UNKNOWN_UNIT = (
        "unknown_unit: unit must be W, kW or MW, as this meter's readings are in kW; without one, "
        "value is in kW"
    )
    UNKNOWN_FLOW = (
        "unknown_unit: unit must be m3/h or l/h, as this meter's readings are in m3/h; without "
        "one, value is in m3/h"
    )
    MISNAMED_UNIT = (
        "unknown_unit: a field names a unit but is not called unit; send it as unit, so that value "
        "is not read in kW, or in m3/h of a volume"
    )
    NOT_FINITE = "not_finite: value must be a finite number"
    NEGATIVE = (
        "negative: value must be 0 or more; of a meter whose values below 0 are export, say so: "
        "usage-platform meters add NAME --sign net"
    )
    TOO_LARGE = (
        "too_large: value must be at most 100000000 kW or m3/h, and of a net meter at least "
        "-100000000 kW"
    )
    UNREADABLE_TIME = (
        "unreadable_time: ts must be like 2024-03-05T13:05:00-05:00, or seconds or milliseconds "
        "since 1970 as a number"
    )
    NONEXISTENT_TIME = "nonexistent_time: ts is skipped by the clock change; send an offset"
    AMBIGUOUS_TIME = "ambiguous_time: ts comes twice at the clock change; send an offset"
    TOO_OLD = "too_old: ts must be {oldest_day} or later, UTC (USAGE_OLDEST_TIME)"
    FUTURE_TIME = "future_time: ts is more than 5 minutes after the broker received it"
    OFF_GRID = (
        "off_grid: ts must be the start of an interval of {minutes} minutes, which this meter has; "
        "send one event an interval, or set the meter's interval (USAGE_INTERVAL_MINUTES)"
    )
    SIMILAR_METER = (
        "similar_meter: the meter's name differs from a known one only in blanks or in how its "
        "accents are encoded; send the known name, or describe this one as well: usage-platform "
        "meters add NAME"
    )
    METER_NOT_ALLOWED = "meter_not_allowed: the meter is not in USAGE_METERS_ALLOWED"
    TOO_MANY_METERS = (
        "too_many_meters: events of a new meter are accepted up to {meters:,} meters "
        "(USAGE_MAX_METERS)"
    )

    @property
    def code(self) -> str:
        """The code, as in the column `reason`."""
        return self.value.partition(":")[0]

    def filled(self, limits: EventLimits, minutes: int = 0) -> str:
        """The text with its numbers.

        Args:
            limits: The limits that were checked.
            minutes: The interval of the event's meter.
        """
        if "{" not in self.value:
            return self.value
        return self.value.format(
            event_bytes=limits.event_bytes,
            oldest_day=limits.oldest_day,
            meters=limits.meters,
            minutes=minutes,
        )
