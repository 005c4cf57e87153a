"""The content of `meters.yaml` as descriptions, and back; or one line that says what is wrong.

Belongs here: the file's form, rules between meters. Not here: reading the file
(`adapters.stores.meters`), rules within a description (`description`).
"""

import json
from collections import Counter
from collections.abc import Collection
from hashlib import sha256
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from usage_platform.core.form_errors import form_error
from usage_platform.core.meter_descriptions.description import Descriptions, MeterDescription

_ONE_OF = {"meters": "meter", "versions": "version"}
_PAGE = "docs/meter-data.md"


def _list(value: object) -> object:
    return () if value in (None, "") else value


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    meters: Annotated[tuple[MeterDescription, ...], BeforeValidator(_list)] = ()


def parse_descriptions(content: object) -> Descriptions:
    """The descriptions of a file.

    Args:
        content: The file as dictionaries, lists and texts; None if it is empty.

    Raises:
        ValueError: In one line with meter, field and what was expected.
    """
    content = {} if content in (None, "") else content
    try:
        meters = _File.model_validate(content).meters
    except ValidationError as error:
        raise ValueError(form_error(error, content, _ONE_OF, _PAGE)) from None
    names = Counter(meter.name for meter in meters)
    for name, count in names.items():
        if count > 1:
            raise ValueError(f"meter {name}: name: expected each name once, got it {count} times")
    return {meter.name: meter for meter in meters}


def described_meter(fields: dict[str, Any]) -> MeterDescription:
    """One description from its fields.

    Raises:
        ValueError: As for `parse_descriptions`.
    """
    [found] = parse_descriptions({"meters": [fields]}).values()
    return found


def written_fields(description: MeterDescription) -> dict[str, Any]:
    """A description as the plain values of its entry in the file; what is not said is left out."""
    fields = description.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    for part in (fields, *fields.get("versions", ())):
        part.update({name: _short(value) for name, value in part.items()})
    order = ("name", "timezone", "interval", "quantity", "unit", "stamp", "sign")
    return {name: fields[name] for name in (*order, *fields) if name in fields}


def descriptions_mark(descriptions: Descriptions, names: Collection[str]) -> str:
    """A text that changes when what people say of these meters does; empty if they say nothing."""
    said = [written_fields(descriptions[name]) for name in sorted(names) if name in descriptions]
    if not said:
        return ""
    return f"meters={sha256(json.dumps(said).encode()).hexdigest()[:16]}"


def _short(value: object) -> object:
    """A whole number without its fraction of 0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
