"""How a source of files is understood, for people and for programs.

Belongs here: putting findings into words and options. Not here: the findings (`layout`,
`meaning`), and printing them (console).
"""

from dataclasses import dataclass, replace

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
        meter: Gives the time zone and the interval of what nobody describes.
        options: What a person set for all files.
    """
    parts = understood.parts or (understood,)
    open_names = {one.name for one in understood.uncertain}
    if not understood.parts:
        meter = replace(understood.meter, name=meter.name)
        options = understood.options

    def how(name: str, given: object) -> Certainty:
        if name in open_names:
            return Certainty.UNCERTAIN
        return Certainty.GIVEN if given else Certainty.CERTAIN

    def of_values(name: str, values: list[str], given: object) -> Property:
        """A property that parts may differ in; then no option says it."""
        distinct = list(dict.fromkeys(values))
        option = (f"--{name}", distinct[0]) if len(distinct) == 1 and not understood.parts else ()
        return Property(name, ", ".join(distinct), how(name, given or understood.parts), option)

    units = [unit for part in parts for unit in part.units]
    step = understood.step_minutes
    found = [
        *(one.as_property(open_names) for one in understood.layouts[0].properties),
        Property("times", _zones(understood), how("time zone", None), _zone(meter)),
        Property(
            "step",
            "one row" if step is None else f"{step:.10g} minutes",
            how("interval", None),
            ("--interval", str(meter.interval_minutes)),
        ),
        of_values("quantity", [part.quantity for part in parts], options.quantity),
        of_values("unit", [str(unit) for unit in units], options.unit),
    ]
    stamps = [part.stamp for part in parts if part.quantity is not Quantity.REGISTER]
    if stamps:
        found.append(of_values("stamp", list(stamps), options.stamp))
    signs = [part.options.sign for part in parts]
    found.append(of_values("sign", list(signs), given=True))
    said = [one.option for one in found if one.certainty is not Certainty.UNCERTAIN]
    names = tuple(one.name for one in understood.readings.meters)
    if names == (meter.name,) and meter.name != DEFAULT_METER_NAME:
        said.append(("--meter", meter.name))
    return Summary(tuple(found), tuple(part for option in said for part in option), names)


_MOST_NAMES = 3


def one_line(understood: Understood) -> str:
    """How the files are understood, in one line."""
    layout = understood.layouts[0]
    how = ", ".join(f"{one.name} {one.value}" for one in layout.properties)
    if not understood.is_described:
        return f"{layout.label}: read with {how}, {_values(understood)}"
    ways = [
        f"{_names(part)} as {_values(part)}, to readings of {part.meter.interval_minutes} minutes "
        f"in {part.meter.timezone}"
        for part in understood.parts or (understood,)
    ]
    return f"{layout.label}: read with {how}; {'; '.join(ways)}"


def _names(part: Understood) -> str:
    names = [meter.name for meter in part.readings.meters]
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def _values(part: Understood) -> str:
    is_other = any(unit.is_volume for unit in part.units)
    read = f" (readings in {part.readings.meters[0].unit})" if is_other else ""
    parts = [f"{part.quantity} in {'/'.join(dict.fromkeys(part.units))}{read}"]
    if part.options.factor != 1:
        parts.append(f"times {part.options.factor:.15g}")
    if part.quantity is not Quantity.REGISTER:
        parts.append(f"stamped at the {part.stamp}")
    if part.step_minutes is not None:
        parts.append(f"every {part.step_minutes:.10g} minutes")
    return ", ".join(parts)


def _zones(understood: Understood) -> str:
    parts = understood.parts or (understood,)
    zones = ", ".join(dict.fromkeys(part.meter.timezone for part in parts))
    if understood.local_rows and understood.instant_rows:
        return f"some with an offset, the others local in {zones}"
    return "instants (offset, UTC or epoch)" if understood.instant_rows else f"local in {zones}"


def _zone(meter: Meter) -> tuple[str, ...]:
    return ("--timezone", meter.timezone)
