"""The known meters with what people say of them.

Belongs here: what goes before what. Not here: the descriptions themselves (`description`).
"""

from dataclasses import replace

from usage_platform.core.meter_descriptions.description import Descriptions, MeterDescription
from usage_platform.core.meters import (
    DEFAULT_INTERVAL_MINUTES,
    DEFAULT_TIMEZONE,
    Meter,
    MeterRegistry,
)


def described(meter: Meter, description: MeterDescription | None) -> Meter:
    """A meter with what people say of it; what they do not say stays."""
    if description is None:
        return meter
    return replace(
        meter,
        timezone=description.timezone or meter.timezone,
        interval_minutes=description.interval or meter.interval_minutes,
        sign=description.usual_sign or meter.sign,
        unit=description.reading_unit or meter.unit,
    )


def described_default(meter: Meter, descriptions: Descriptions) -> Meter:
    """The meter of the settings with what people say of it.

    Args:
        meter: The meter of the settings.
        descriptions: What people say.

    Raises:
        ValueError: In one line, when settings other than the defaults contradict the description.
    """
    found = described(meter, descriptions.get(meter.name))
    for field, setting, value, usual, says in (
        ("timezone", "USAGE_TIMEZONE", meter.timezone, DEFAULT_TIMEZONE, found.timezone),
        (
            "interval",
            "USAGE_INTERVAL_MINUTES",
            meter.interval_minutes,
            DEFAULT_INTERVAL_MINUTES,
            found.interval_minutes,
        ),
    ):
        if value not in (usual, says):
            raise ValueError(
                f"meter {meter.name}: {field}: the file says {says}, but {setting} (--{field}) "
                f"says {value}; leave that out, or correct the file: usage-platform meters set"
            )
    return found


def with_descriptions(registry: MeterRegistry, descriptions: Descriptions) -> MeterRegistry:
    """A registry in which people's words go before those of sources.

    Unknown meters stay like the registry's default, whatever people say of the meter of that name.

    Args:
        registry: The meters that sources describe.
        descriptions: What people say.

    Raises:
        ValueError: As for `described_default`.
    """
    described_default(registry.default, descriptions)
    return registry.with_meters(
        described(registry.get(name), description) for name, description in descriptions.items()
    )
