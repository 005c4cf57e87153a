"""How a source of files is understood, for people and for programs.

Belongs here: putting findings into words and options. Not here: the findings (`layout`,
`meaning`), and printing them (console).
"""

from dataclasses import dataclass

from usage_platform.core.measurement import Quantity
from usage_platform.core.meter_files.findings import Certainty, Property
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meter_files.readings import Understood
from usage_platform.core.meters import DEFAULT_METER_NAME, Meter


@dataclass(frozen=True)
class Summary:
    """What there is to say of a source.

    Attributes:
        properties: How the files are understood.
        options: The options that say so, ready for the command line.
        meters: The meters' names.
    """

    properties: tuple[Property, ...]
    options: tuple[str, ...]
    meters: tuple[str, ...]


def summary_of(understood: Understood, meter: Meter, options: FileOptions) -> Summary:
    """Put findings into words.

    Args:
        understood: The findings.
        meter: Gives the time zone and the interval.
        options: What a person said.
    """
    open_names = {one.name for one in understood.uncertain}

    def how(name: str, given: object) -> Certainty:
        if name in open_names:
            return Certainty.UNCERTAIN
        return Certainty.GIVEN if given else Certainty.CERTAIN

    units = ", ".join(dict.fromkeys(understood.units))
    quantity = Property(
        "quantity",
        understood.quantity,
        how("quantity", options.quantity),
        ("--quantity", understood.quantity),
    )
    unit = Property("unit", units, how("unit", options.unit), ("--unit", units))
    stamp = Property(
        "stamp", understood.stamp, how("stamp", options.stamp), ("--stamp", understood.stamp)
    )
    sign = Property("sign", options.sign, Certainty.GIVEN, ("--sign", options.sign))
    step = understood.step_minutes
    found = [
        *(one.as_property(open_names) for one in understood.layouts[0].properties),
        Property("times", _zones(understood, meter), how("time zone", None), _zone(meter)),
        Property(
            "step",
            "one row" if step is None else f"{step:.10g} minutes",
            how("interval", None),
            ("--interval", str(meter.interval_minutes)),
        ),
        quantity,
        unit,
    ]
    if understood.quantity is not Quantity.REGISTER:
        found.append(stamp)
    found.append(sign)
    said = [one.option for one in found if one.certainty is not Certainty.UNCERTAIN]
    names = tuple(one.name for one in understood.readings.meters)
    if names == (meter.name,) and meter.name != DEFAULT_METER_NAME:
        said.append(("--meter", meter.name))
    return Summary(tuple(found), tuple(part for option in said for part in option), names)


def one_line(understood: Understood) -> str:
    """How the files are understood, in one line."""
    layout = understood.layouts[0]
    parts = [f"{one.name} {one.value}" for one in layout.properties]
    unit = "/".join(dict.fromkeys(understood.units))
    parts.append(f"{understood.quantity} in {unit}")
    if understood.quantity is not Quantity.REGISTER:
        parts.append(f"stamped at the {understood.stamp}")
    if understood.step_minutes is not None:
        parts.append(f"every {understood.step_minutes:.10g} minutes")
    return f"{layout.label}: read with {', '.join(parts)}"


def _zones(understood: Understood, meter: Meter) -> str:
    if understood.local_rows and understood.instant_rows:
        return f"some with an offset, the others local in {meter.timezone}"
    return (
        "instants (offset, UTC or epoch)"
        if understood.instant_rows
        else (f"local in {meter.timezone}")
    )


def _zone(meter: Meter) -> tuple[str, ...]:
    return ("--timezone", meter.timezone)
