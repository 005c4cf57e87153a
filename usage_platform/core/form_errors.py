"""What is wrong in content with a form, in one line with the place and what was expected.

Belongs here: the wording of errors of forms (pydantic): of files that people write, and of what the
platform stores or is sent. Not here: the forms themselves, and reading the content (adapters).
"""

from collections.abc import Mapping, Sequence
from typing import cast

from pydantic import ValidationError

_LONGEST = 60
_NAMING = ("name", "valid_from")
_UNKNOWN_FIELD = "extra_forbidden"
# Ends the place of an error in the name of an entry, which pydantic calls a key.
_OF_A_KEY = "[key]"
_EXPECTED = {
    "missing": "expected this field, which is missing",
    "int_parsing": "expected a whole number",
    "float_parsing": "expected a number",
    "tuple_type": "expected a list",
    "too_short": "expected at least one entry",
    "dict_type": "expected entries by name",
    "string_type": "expected a text",
    "model_type": "expected fields, a line each",
    "model_attributes_type": "expected fields, a line each",
}


def first_mistake(error: ValidationError, whole: str = "") -> str:
    """The first error of content that no person wrote, in one line: its place and the reason.

    Args:
        error: What the form's validation raised.
        whole: What to call the content where no part of it is named.
    """
    first = error.errors()[0]
    where = "/".join(str(part) for part in first["loc"]) or whole
    return f"{where}: {first['msg']}" if where else first["msg"]


def form_error(
    error: ValidationError,
    content: object,
    one_of: Mapping[str, str],
    page: str,
    by_name: Mapping[str, str] | None = None,
) -> str:
    """The first error of a file, in one line.

    Args:
        error: What the form's validation raised.
        content: The file as dictionaries, lists and texts.
        one_of: For each list of the form, what to call one of its items.
        page: The page that documents the fields.
        by_name: For each part of the form whose entries have names, what to call one of them.
    """
    first = error.errors()[0]
    where = _place(first["loc"], content, one_of, by_name or {})
    got = first["input"]
    is_shown = isinstance(got, str) and first["type"] != _UNKNOWN_FIELD
    shown = f", got {got[:_LONGEST]!r}" if is_shown else ""
    return f"{where}{_reason(first['type'], first['msg'], page)}{shown}"


def _reason(kind: str, message: str, page: str) -> str:
    if kind == _UNKNOWN_FIELD:
        return f"unknown field; expected one of those in {page}"
    message = message.removeprefix("Value error, ")
    return _EXPECTED.get(kind, message.replace("Input should be", "expected a value"))


def _place(
    loc: Sequence[int | str],
    content: object,
    one_of: Mapping[str, str],
    by_name: Mapping[str, str],
) -> str:
    """Where an error is, with names in place of the positions in lists."""
    words: list[str] = []
    found = content
    for step in loc:
        if step == _OF_A_KEY:
            continue
        if isinstance(step, int) and isinstance(found, Sequence):
            found = cast("Sequence[object]", found)[step]
            words[-1] = f"{one_of.get(words[-1], words[-1])} {_name_of(found) or step + 1}"
        elif isinstance(found, Mapping):
            found = cast("Mapping[str, object]", found).get(str(step))
            if words and words[-1] in by_name:
                words[-1] = f"{by_name[words[-1]]} {step}"
            else:
                words.append(str(step))
    return "".join(f"{word}: " for word in words)


def _name_of(found: object) -> str:
    if not isinstance(found, Mapping):
        return ""
    fields = cast("Mapping[str, object]", found)
    named = (fields.get(name) for name in _NAMING)
    return next((name[:_LONGEST] for name in named if isinstance(name, str)), "")
