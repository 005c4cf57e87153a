"""Changes of a description by single fields.

Belongs here: adding a meter, changing one, also from a day on. Not here: writing the file
(adapters), what fields may say (`description`).
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from usage_platform.core.meter_descriptions.description import Descriptions, MeterDescription
from usage_platform.core.meter_descriptions.parsing import described_meter, written_fields

Fields = Mapping[str, str]
"""Fields of a description as people write them."""


def added(descriptions: Descriptions, name: str, fields: Fields) -> MeterDescription:
    """The description of another meter.

    Raises:
        ValueError: In one line: the meter is described already, or a field is invalid.
    """
    if name in descriptions:
        raise ValueError(f"meter {name}: is described already; change it with 'meters set'")
    return described_meter({"name": name, **fields})


def changed(
    descriptions: Descriptions, name: str, fields: Fields, valid_from: date | None
) -> MeterDescription:
    """A description with some fields changed.

    Args:
        descriptions: What is described.
        name: The meter.
        fields: What it says now.
        valid_from: The local day from which on that is so; None: for all times that no version
            says otherwise.

    Raises:
        ValueError: In one line: the meter is not described, nothing is changed, or a field is
            invalid.
    """
    if name not in descriptions:
        raise ValueError(f"meter {name}: is not described; add it with 'meters add'")
    if not fields:
        raise ValueError(f"meter {name}: nothing to change; give an option such as --unit kWh")
    entry = written_fields(descriptions[name])
    if valid_from is None:
        return described_meter({**entry, **fields})
    day = valid_from.isoformat()
    versions: dict[str, dict[str, Any]] = {
        one["valid_from"]: one for one in entry.get("versions", ())
    }
    versions[day] = {**versions.get(day, {"valid_from": day}), **fields}
    return described_meter({**entry, "versions": [versions[key] for key in sorted(versions)]})
