"""`usage-platform meters`: the known meters, by people's descriptions and by sources.

Belongs here: what is printed. Not here: the command line (`meters_command`), the descriptions
(`core.meter_descriptions`).
"""

import json
from pathlib import Path
from typing import Any

from rich.markup import escape

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.stores.meters import AppliedDescriptions, descriptions_in
from usage_platform.console.screen import Screen, table
from usage_platform.core.measurement import Sign
from usage_platform.core.meter_descriptions.description import (
    Descriptions,
    Measured,
    MeterDescription,
)
from usage_platform.core.meter_descriptions.parsing import written_fields
from usage_platform.core.meter_descriptions.registry import described_default
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.settings.settings import SettingsError
from usage_platform.wiring.platform import Platform

_NOT_SAID = "by the source"


def print_all(platform: Platform, as_json: bool, screen: Screen) -> None:
    """Print a row a meter and version.

    Raises:
        LakeError: In one line, when the file has a mistake; what applies is printed before.
    """
    applied = platform.meters.applied()
    registry, descriptions = platform.registry(), applied.descriptions
    names = sorted({*registry.known} - registry.groups)
    if as_json:
        found = [_fields(registry, name, descriptions.get(name)) for name in names]
        print(json.dumps(found, indent=1))
        _refuse(applied)
        return
    columns = ("meter", "time zone", "minutes", "from", "values", "described by")
    rows = table("Meters", *columns, numbers=("minutes",))
    for name in names:
        for cells in _rows(registry.get(name), descriptions.get(name)):
            rows.add_row(*map(escape, cells))
    screen.console.print(rows)
    if not descriptions:
        screen.say(f"{platform.meters.place}: no meter; add one with 'usage-platform meters add'")
    _refuse(applied)


def print_one(platform: Platform, name: str, as_json: bool, screen: Screen) -> None:
    """Print what is known of a meter.

    Raises:
        SettingsError: The meter is neither described nor known from a source.
        LakeError: As for `print_all`.
    """
    applied = platform.meters.applied()
    registry, descriptions = platform.registry(), applied.descriptions
    if name not in registry.known:
        raise SettingsError(
            f"{platform.meters.place}: no meter {name}; 'usage-platform meters list' lists all"
        )
    fields = _fields(registry, name, descriptions.get(name))
    if as_json:
        print(json.dumps(fields, indent=1))
        _refuse(applied)
        return
    for field, value in fields.items():
        if field not in ("samples", "versions"):
            screen.say(f"{field}: {_NOT_SAID if value is None else value}")
    if fields["samples"]:
        screen.say(
            "samples: " + ", ".join(f"{k} {_shown(v)}" for k, v in fields["samples"].items())
        )
    for version in fields["versions"]:
        said = ", ".join(f"{k} {v}" for k, v in version.items() if k != "valid_from")
        screen.say(f"from {version['valid_from']}: {said}")
    _refuse(applied)


def checked(platform: Platform, file: Path | None) -> Descriptions:
    """The descriptions in the lake's file, or in another one before it is copied there.

    Raises:
        SettingsError: A setting contradicts them, or the other file is no UTF-8.
        LakeError: In one line, when the file has a mistake.
    """
    if file is None:
        # Contradictions are looked for in the content that applies: without a mistake, the file's.
        descriptions = platform.meters.read()
        platform.default_meter()
        return descriptions
    try:
        found = descriptions_in(file.read_text("utf-8"), str(file))
        described_default(platform.settings.default_meter, found)
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: expected UTF-8 ({error.reason})") from None
    except ValueError as error:
        raise SettingsError(f"{file}: {error}") from None
    return found


def _refuse(applied: AppliedDescriptions) -> None:
    """End with the file's mistake, if it has one."""
    if applied.notice:
        raise LakeError(applied.notice)


def _shown(value: object) -> str:
    return " + ".join(map(str, value)) if isinstance(value, list) else str(value)


def in_one_line(description: MeterDescription) -> str:
    """A description as its fields."""
    fields = written_fields(description)
    versions = fields.pop("versions", [])
    parts = [f"{name} {value}" for name, value in fields.items() if name != "name"]
    parts += [f"changed from {one['valid_from']} on" for one in versions]
    return f"meter {description.name}: {', '.join(parts) or 'no field'}"


def _rows(meter: Meter, description: MeterDescription | None) -> list[tuple[str, ...]]:
    """A meter's cells, a row a version."""
    if description is None:
        own = (("net", meter.is_net), (f"in {meter.unit}", not meter.is_power))
        values = " ".join(text for text, is_so in own if is_so) or _NOT_SAID
        zone, minutes = meter.timezone, str(meter.interval_minutes)
        return [(meter.name, zone, minutes, "", values, "its source")]
    first = (meter.name, meter.timezone, str(meter.interval_minutes))
    return [
        (*(("",) * len(first) if since else first), str(since or ""), values, "people")
        for since, measured in description.phases()
        for values in [_values(meter, measured)]
    ]


def _values(meter: Meter, measured: Measured) -> str:
    is_net = (measured.sign or meter.sign) is Sign.NET
    parts = ["net" if is_net else "", measured.quantity or "", measured.unit or ""]
    if measured.step is not None:
        parts.append(f"every {measured.step} minutes")
    if measured.stamp is not None:
        parts.append(f"stamped at the {measured.stamp}")
    if measured.register_size is not None:
        parts.append(f"up to {measured.register_size:.15g}")
    if measured.factor != 1:
        parts.append(f"times {measured.factor:.15g}")
    if not meter.is_power:
        parts.append(f"in {meter.unit}")
    return " ".join(part for part in parts if part) or _NOT_SAID


def _fields(
    registry: MeterRegistry, name: str, description: MeterDescription | None
) -> dict[str, Any]:
    """What is known of a meter, in the words of the file; None: its source says it."""
    meter = registry.get(name)
    said = {} if description is None else written_fields(description)
    return {
        "name": name,
        "timezone": meter.timezone,
        "interval": meter.interval_minutes,
        **{field: said.get(field) for field in ("quantity", "unit", "stamp")},
        "sign": meter.sign,
        "register_size": said.get("register_size"),
        "factor": said.get("factor", 1),
        "samples": said.get("samples"),
        "versions": said.get("versions", []),
        "readings_in": meter.unit,
        "described_by": "source" if description is None else "people",
    }
