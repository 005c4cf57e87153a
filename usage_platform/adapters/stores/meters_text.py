"""The text of `meters.yaml`: an entry is replaced or added, and all other lines stay as they are.

Belongs here: where an entry stands in the text. Not here: reading and writing the file (`meters`),
what an entry means (`core.meter_descriptions`).
"""

from collections.abc import Mapping
from typing import Any

import yaml

from usage_platform.adapters.stores.plain_yaml import yaml_texts
from usage_platform.core.meter_descriptions.description import Descriptions, MeterDescription
from usage_platform.core.meter_descriptions.parsing import parse_descriptions, written_fields

_METERS = "meters"


def with_entry(text: str, description: MeterDescription) -> str:
    """The text with a meter's entry replaced, or added at the end of the list.

    Comments stay, but for those within a replaced entry. A file whose list is written in one line
    (`[...]`) or that cannot be edited by lines is rewritten, without its comments.

    Args:
        text: A valid file; empty for none.
        description: The new description.
    """
    content = yaml_texts(text)
    wanted = {**parse_descriptions(content), description.name: description}
    if content in (None, ""):
        edited = f"{text.rstrip()}\n{whole_text(wanted)}".lstrip()
    else:
        edited = _edited(text, description)
    if edited is not None and _parsed_or_none(edited) == wanted:
        return edited
    return whole_text(wanted)


def whole_text(descriptions: Descriptions) -> str:
    """A file with these descriptions."""
    return _dumped({_METERS: [written_fields(one) for one in descriptions.values()]})


def _parsed_or_none(text: str) -> Descriptions | None:
    try:
        return parse_descriptions(yaml_texts(text))
    except ValueError:
        return None


def _edited(text: str, description: MeterDescription) -> str | None:
    """The text with the lines of one entry replaced or added; None where there is no such list."""
    root = yaml.compose(text, yaml.BaseLoader)
    if not isinstance(root, yaml.MappingNode):
        return None
    found = next((value for key, value in root.value if key.value == _METERS), None)
    if not isinstance(found, yaml.SequenceNode) or found.flow_style or not found.value:
        return None
    lines = text.splitlines(keepends=True)
    indent = found.start_mark.column
    entry = _dumped([written_fields(description)])
    block = [" " * indent + line for line in entry.splitlines(keepends=True)]
    spans = {_name(node): _lines_of(node, lines) for node in found.value}
    if description.name in spans:
        first, end = spans[description.name]
        return "".join([*lines[:first], *block, *lines[end:]])
    _, end = _lines_of(found.value[-1], lines)
    before = lines[:end]
    if before and not before[-1].endswith("\n"):
        before[-1] += "\n"
    return "".join([*before, *block, *lines[end:]])


def _name(node: yaml.Node) -> str:
    fields: Mapping[str, str] = {key.value: value.value for key, value in node.value}
    return fields["name"]


def _lines_of(node: yaml.Node, lines: list[str]) -> tuple[int, int]:
    """The lines of an entry, end exclusive: without blank lines and comments that follow it."""
    first, mark = node.start_mark.line, node.end_mark
    # The end is where the entry's last line ends, or where the next token begins.
    is_next = mark.line >= len(lines) or not lines[mark.line][: mark.column].strip()
    end = max(mark.line if is_next else mark.line + 1, first + 1)
    while end > first + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip()[0] == "#"):
        end -= 1
    return first, end


def _dumped(content: Any) -> str:  # noqa: ANN401 - plain values
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=100_000)
