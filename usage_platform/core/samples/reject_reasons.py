"""Why a sample is not used, where the reasons of events (`core.readings`) do not say it.

Belongs here: the reasons, as the topic of rejected samples has them. Not here: the checks
(`parsing`, `window`).
"""

from enum import StrEnum

from usage_platform.core.meters import LONGEST_NAME


class SampleReason(StrEnum):
    """A reason: its code, and what was expected."""

    NO_METER = (
        "no_meter: the key, or without a key the field meter, must name the meter: 1 to "
        f"{LONGEST_NAME} printable characters"
    )
    NOT_DESCRIBED = "not_described: nothing says how samples of this meter are read (samples)"
    NO_VALUE = "no_value: there is no number at the path of the value"
    TOO_LARGE = (
        "too_large: expected at most 1e8 kW or m3/h of a power or flow, 1e12 kWh or m3 of an "
        "amount or a register"
    )
    NO_TIME = "no_time: there is no time at the path of the time"
    DELAYED = (
        "delayed: the time is more than a day before the broker received the sample; load such "
        "history from a file"
    )
    TOO_LATE = "too_late: the meter's samples of that time are settled; load it from a file"
    TOO_MANY = "too_many: more than two samples a second in this interval; send fewer"
