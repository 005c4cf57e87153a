"""What is known of a meter: name, time zone, length of its intervals, sign and unit.

Belongs here: the description of meters, and the limits of their events. Not here: where the
descriptions are kept (adapters).
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from usage_platform.core.limits import EventLimits
from usage_platform.core.measurement import ReadingUnit, Sign

DEFAULT_METER_NAME = "central-library"
DEFAULT_TIMEZONE = "America/New_York"
DEFAULT_INTERVAL_MINUTES = 5
LONGEST_NAME = 200
INTERVALS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60)
"""Minutes that an interval may have: they divide an hour, so that hours are whole."""
INTERVALS_SHOWN = f"{', '.join(map(str, INTERVALS[:-1]))} or {INTERVALS[-1]}"


def is_meter_name(text: str) -> bool:
    """Whether a meter may be called so: 1 to 200 printable characters, not all blank.

    A name becomes a key, a cell and a line of a log: control characters would break the last, half
    a surrogate pair cannot be written in UTF-8, and an endless name fits into no message.
    """
    return len(text) <= LONGEST_NAME and text.isprintable() and bool(text.strip())


def normalized_name(name: str) -> str:
    """What people read of a name: without blanks around it, each accent encoded in one way."""
    return unicodedata.normalize("NFC", " ".join(name.split()))


def is_timezone(name: str) -> bool:
    """Whether it is the IANA name of a known time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


@dataclass(frozen=True)
class Meter:
    """One meter.

    Attributes:
        name: The key of its events on the topic and of its rows in the tables.
        timezone: IANA name of the building's local time.
        interval_minutes: Length of one reading's interval; one of `INTERVALS`.
        sign: What a reading below 0 means: export of a net meter, or a fault.
        unit: The unit of its readings.

    Raises:
        ValueError: For a name that no meter can have (`is_meter_name`), an unknown time zone or an
            interval that is none of `INTERVALS`.
    """

    name: str = DEFAULT_METER_NAME
    timezone: str = DEFAULT_TIMEZONE
    interval_minutes: int = DEFAULT_INTERVAL_MINUTES
    sign: Sign = Sign.CONSUMPTION
    unit: ReadingUnit = ReadingUnit.KW

    def __post_init__(self) -> None:
        if not is_meter_name(self.name):
            raise ValueError(
                f"meter name: expected 1 to {LONGEST_NAME} printable characters, not all blank, "
                f"got {self.name[:LONGEST_NAME]!r}; give the meter such a name"
            )
        if not is_timezone(self.timezone):
            raise ValueError(
                f"meter {self.name}: time zone {self.timezone!r} is unknown; "
                "give an IANA name such as America/New_York"
            )
        if self.interval_minutes not in INTERVALS:
            raise ValueError(
                f"meter {self.name}: interval {self.interval_minutes} min does not divide an hour; "
                f"give {INTERVALS_SHOWN}"
            )
        # Stored meters have their texts.
        object.__setattr__(self, "sign", Sign(self.sign))
        object.__setattr__(self, "unit", ReadingUnit(self.unit))

    def as_stored(self) -> dict[str, str | int]:
        """Its fields, without the sign and unit that all meters of former versions had."""
        fields: dict[str, str | int] = {
            "name": self.name,
            "timezone": self.timezone,
            "interval_minutes": self.interval_minutes,
        }
        if self.is_net:
            fields["sign"] = self.sign.value
        if not self.is_power:
            fields["unit"] = self.unit.value
        return fields

    @property
    def zone(self) -> ZoneInfo:
        """The building's local time zone."""
        return ZoneInfo(self.timezone)

    @property
    def is_net(self) -> bool:
        """Whether readings below 0 are export."""
        return self.sign is Sign.NET

    @property
    def is_power(self) -> bool:
        """Whether its readings are powers in kW, whose energy has a price and adds up."""
        return self.unit is ReadingUnit.KW

    @property
    def readings_per_hour(self) -> int:
        """How many readings a complete hour holds."""
        return 60 // self.interval_minutes


@dataclass(frozen=True)
class MeterRegistry:
    """The known meters, and what is assumed of one that is not known.

    Attributes:
        default: Gives an unknown meter its time zone and interval, and an event without a meter
            its name.
        known: Meters by name.
        limits: What is accepted of the events of any meter.
        groups: Names of those that are groups: their readings are sums of others' readings, so
            that a total over all meters leaves them out.
    """

    default: Meter = field(default_factory=Meter)
    known: Mapping[str, Meter] = field(default_factory=dict[str, Meter])
    limits: EventLimits = field(default_factory=EventLimits)
    groups: frozenset[str] = frozenset()

    @cached_property
    def zones(self) -> frozenset[str]:
        """The time zones of all meters, that of unknown ones too; looked up once."""
        return frozenset({self.default.timezone, *(one.timezone for one in self.known.values())})

    def get(self, name: str) -> Meter:
        """The meter of that name; an unknown one is like the default.

        Raises:
            ValueError: If no meter can have that name.
        """
        found = self.known.get(name)
        if found is not None:
            return found
        return Meter(name, self.default.timezone, self.default.interval_minutes)

    def describes(self, name: str) -> bool:
        """Whether a meter is described: by people, by a source, or as the default one."""
        return name in self.known or name == self.default.name

    def is_like_another(self, name: str) -> bool:
        """Whether a meter that is not described is called almost like one that is.

        Nobody tells them apart on a screen, and its events would be read without the description.
        """
        return not self.describes(name) and normalized_name(name) in self._normalized_names

    @cached_property
    def _normalized_names(self) -> frozenset[str]:
        return frozenset(map(normalized_name, (self.default.name, *self.known)))

    def with_meters(self, meters: Iterable[Meter]) -> "MeterRegistry":
        """This registry with `meters` added; one of the same name is replaced."""
        return replace(self, known={**self.known, **{m.name: m for m in meters}})

    def with_groups(self, meters: Iterable[Meter]) -> "MeterRegistry":
        """This registry with groups added as meters."""
        added = tuple(meters)
        names = self.groups.union(one.name for one in added)
        return replace(self.with_meters(added), groups=names)
